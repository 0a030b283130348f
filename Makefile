PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# A file's tests stay together: they share what they are about; tests/conftest.py orders the files. A process takes 2 GB at most.
PARALLEL ?= --numprocesses=auto --maxprocesses=8 --dist=loadfile --no-loadscope-reorder

.PHONY: setup demo fix check test browser slow conformance install-check seams fuzz screens bench bench-start bench-eval bench-demo bench-hub bench-contamination bench-bootstrap bench-lint bench-publish bench-train bench-data bench-apart bench-space reference docs clean

setup: $(READY)  ## the virtual environment with everything, in exactly the versions that were tested

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[all,dev]'
	touch $@

demo: setup  ## recipe to Hub in miniature: train, evaluate, render, publish
	$(BIN)/zoo demo

fix: setup  ## format, and mend what can be mended
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format --quiet .
	$(BIN)/zoo schema --write
	PYTHONPATH=tests $(BIN)/python tests/reference.py

check: setup  ## lint, types, recipes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/zoo check

test: setup browser  ## every test but the slow ones, in as many processes as there are cores
	$(BIN)/pytest $(PARALLEL) -m "not slow and not network"

browser: setup  ## a Chromium for the tests of pages: the system's, else Playwright's own
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || test -n "$$ZOO_CHROMIUM" \
		|| $(BIN)/playwright install chromium >/dev/null 2>&1 \
		|| echo "no Chromium here, and none could be fetched: the tests of pages are left out"

slow: setup browser  ## every test that needs no network, the slow ones too
	$(BIN)/pytest $(PARALLEL) -m "not network"

conformance: setup  ## huggingface_hub's own tests against the local Hub, with Xet and without; fetches them from PyPI
	$(BIN)/python -m tests.conformance.run

install-check: setup  ## the light install for real, from PyPI: its size, what works in it, and as an extension of hf
	$(BIN)/pytest -m network tests/test_install.py

seams: setup  ## the tests of what we use of others' insides, with what is installed here: which release broke what
	$(BIN)/python -m tests.seams

bench: bench-start bench-eval bench-demo bench-hub bench-contamination bench-bootstrap bench-lint bench-publish bench-train bench-data bench-apart bench-space  ## every benchmark; each fails below its bar

bench-start bench-eval bench-demo bench-hub bench-contamination bench-bootstrap bench-lint bench-publish bench-train bench-data bench-apart bench-space: bench-%: setup
	$(BIN)/python -m tests.bench.$*

fuzz: setup  ## requests that no client would send, and people against publish, at random; SECONDS=600 by default of each
	$(BIN)/python tests/hub_fuzz.py --seconds $(or $(SECONDS),600)
	$(BIN)/python tests/people_fuzz.py --seconds $(or $(SECONDS),600)

reference: setup  ## docs/recipes.md and docs/commands.md, from the code
	PYTHONPATH=tests $(BIN)/python tests/reference.py

screens: setup  ## what the tests of the terminal compare with (tests/terminal/): look at each that changed
	ZOO_SCREENS=1 $(BIN)/pytest tests/test_terminal.py -k as_it_was

docs: setup  ## the README's table and pictures, from what `make demo` built
	PYTHONPATH=tests $(BIN)/python tests/readme.py

clean:
	rm -rf $(VENV) .zoo runs dist
