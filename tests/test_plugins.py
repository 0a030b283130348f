"""Plugins: what a workspace adds in one file each is as good as ours, seen by that workspace alone, and told when broken."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, TestHub, workspace_in

from zoo.errors import DataError, PluginError, RecipeError, TrainError, ZooError
from zoo.losses import LOSSES
from zoo.recipe import Workspace, dump, load_resolved, override
from zoo.say import Silent
from zoo.steps import STEPS
from zoo.tasks import TASKS, pins

OURS = list(LOSSES)
ACUTE = '''"""Acute angles."""

from __future__ import annotations

from zoo.plugins import loss


@loss("acute", texts=(2, 2), label="score", least_rows=2)
def acute(model, *, scale: float = 20.0):
    """(sentence, sentence, score): ranks pairs by the angle between them in complex space."""
    from sentence_transformers.sentence_transformer.losses import AnglELoss

    return AnglELoss(model, scale=scale)
'''
SHORTER = '''from zoo.plugins import step


@step("shorter")
def shorter(frame, texts, *, than: int):
    """Keep rows whose texts have fewer than so many characters."""
    import polars as pl

    return frame.filter(*(pl.col(text).str.len_chars() < than for text in texts))
'''
LEAFLETS = """from zoo.plugins import graded_pairs

graded_pairs("Leaflets", "data/leaflets.tsv", "Sentences of leaflets, graded by two pharmacists.", most=4)
"""
SUBJECTS = ("الطبيب", "المريض", "الصيدلي", "الممرض", "الطفل", "الباحث")
ENDINGS = ("يقرأ النشرة", "يأخذ الدواء", "يكتب الوصفة", "يشرب الماء")


def leaflets() -> str:
    """Every sentence with the next one, and scores from how many words they share."""
    sentences = [f"{who} {does}" for who in SUBJECTS for does in ENDINGS]
    rows = ["sentence1\tsentence2\tscore"]
    for at, first in enumerate(sentences):
        second = sentences[(at + at % 5) % len(sentences)]
        rows.append(f"{first}\t{second}\t{len(set(first.split()) & set(second.split())) + at % 2 / 2}")
    return "\n".join(rows) + "\n"


def plug(root: Path, name: str, text: str) -> Path:
    path = root / "plugins" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace outside of the checkout, the current folder."""
    workspace_in(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def plugged(lab: Path) -> Path:
    """The same with a loss, a step and a task of its own."""
    plug(lab, "acute.py", ACUTE)
    plug(lab, "shorter.py", SHORTER)
    plug(lab, "leaflets.py", LEAFLETS)
    (lab / "data").mkdir()
    (lab / "data" / "leaflets.tsv").write_text(leaflets(), "utf-8")
    return lab


def write(root: Path, name: str, old: str, new: str) -> None:
    path = root / "recipes" / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


# What is added


def test_recipes_name_what_plugins_add(plugged: Path) -> None:
    write(plugged, "family.yaml", "loss: {type: cosent}", "loss: {type: acute, scale: 10}")
    write(plugged, "family.yaml", "muradif: [Muradif, Muradif-full]", "own: [Leaflets, STS17-ar]")
    write(plugged, "datasets/arabic-stsb.yaml", "columns:", "steps: [not_empty, {type: shorter, than: 80}]\ncolumns:")
    recipe = Workspace(plugged).recipe("arabert-hybrid")
    loss = recipe.phases[0].data[1].loss
    assert (loss.type, loss.scale) == ("acute", 10.0)
    assert [step.type for step in recipe.datasets["arabic-stsb"].steps] == ["not_empty", "shorter"]
    (plugged / "mine.yaml").write_text(dump(recipe), "utf-8")
    with Workspace(plugged).in_use():
        assert load_resolved(plugged / "mine.yaml") == recipe
    with pytest.raises(RecipeError, match=r"loss: no loss 'acute'; see `zoo ls -h`"):
        load_resolved(plugged / "mine.yaml")


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("family.yaml", "type: cosent", "type: acuet", "phases.hybrid.data.1.loss: no loss 'acuet'; did you mean 'acute'?"),
        (
            "family.yaml",
            "type: cosent}",
            "type: acute, scael: 3}",
            "phases.hybrid.data.1.loss.scael: unknown key 'scael'; did you mean 'scale'?",
        ),
        (
            "family.yaml",
            "type: cosent}",
            "type: acute, scale: wide}",
            "phases.hybrid.data.1.loss.scale: 'wide': input should be a valid number",
        ),
        ("family.yaml", "[Muradif,", "[Leaflet,", "suites.muradif.0: no evaluation task 'Leaflet'; did you mean 'Leaflets'?"),
        ("datasets/stsb.yaml", "columns:", "steps: [unique, shortr]\ncolumns:", "steps.1: no step 'shortr'; did you mean 'shorter'?"),
        ("datasets/stsb.yaml", "columns:", "steps: [shorter]\ncolumns:", "steps.0.than: missing"),
        ("datasets/stsb.yaml", "columns:", "steps: [{typ: unique}]\ncolumns:", "steps.0: missing 'type'; write type: unique"),
        ("datasets/stsb.yaml", "columns:", "steps: [3]\ncolumns:", "steps.0: '3' where keys and values belong"),
        (
            "datasets/stsb.yaml",
            "columns:",
            "steps: [{type: shorter, then: 3}]\ncolumns:",
            "steps.0.then: unknown key 'then'; did you mean 'than'?",
        ),
        ("arabert.yaml", "pooling: mean", "pooling: men", "base.pooling: no pooling 'men'; did you mean 'mean'?"),
        (
            "arabert.yaml",
            "pooling: mean",
            "pooling: mean\n  modules: [{type: dense, out: 256}]",
            "base: modules end in 256 numbers, width is 768",
        ),
        ("labse.yaml", "  width", "  modules: [normalize]\n  width", "base: modules stand behind a pooling, and there is none"),
    ],
)  # fmt: skip
def test_a_misspelt_name_or_option_is_told_with_the_nearest(
    plugged: Path, zoo: Any, file: str, old: str, new: str, told: str
) -> None:
    write(plugged, file, old, new)
    code, _, err = zoo("check")
    assert code == 1
    assert told in err
    assert f"error: recipes/{file}, line " in err or f"mistakes in recipes/{file}" in err


def test_the_schema_completes_what_plugins_add(plugged: Path, zoo: Any) -> None:
    assert zoo("schema", "--write")[0] == 0
    schema = json.loads((plugged / "recipes" / "schema.json").read_text("utf-8"))
    assert schema["$defs"]["loss"]["discriminator"]["mapping"]["acute"] == "#/$defs/AcuteLoss"
    assert schema["$defs"]["AcuteLoss"]["properties"]["scale"] == {"default": 20.0, "title": "Scale", "type": "number"}
    plain = schema["$defs"]["step"]["oneOf"][0]["enum"]
    assert {"not_empty", "true_negatives", "unique"} < set(plain)
    assert "shorter" not in plain, "it needs its option"
    assert schema["$defs"]["ShorterStep"]["required"] == ["type", "than"]
    suites = schema["$defs"]["Family"]["properties"]["suites"]["patternProperties"]
    assert next(iter(suites.values()))["items"]["enum"][-1] == "Leaflets"
    assert "AcuteLoss" not in (ROOT / "recipes" / "schema.json").read_text("utf-8")


def test_everything_that_can_be_named_is_listed(plugged: Path, zoo: Any) -> None:
    def listed(what: str) -> dict[str, Any]:
        code, out, _ = zoo("ls", f"--{what}", "--json")
        assert code == 0
        return {row["name"]: row for row in json.loads(out)[what]}

    assert listed("losses")["acute"] == {
        "name": "acute",
        "kind": "loss",
        "options": ["scale: float = 20.0"],
        "what": "(sentence, sentence, score): ranks pairs by the angle between them in complex space.",
        "from": "plugins/acute.py",
    }
    assert listed("losses")["matryoshka"]["options"][:2] == ["inner: loss", "dims: list of int or none = None"]
    assert listed("losses")["mse"]["options"] == ["teacher: model", "projection_dim: int or none = None"]
    assert listed("steps")["shorter"]["options"] == ["than: int"]
    assert listed("tasks")["Leaflets"] == {
        "name": "Leaflets",
        "kind": "STS",
        "metric": "cosine_spearman",
        "rows": 24,
        "data": "data/leaflets.tsv",
        "what": "Sentences of leaflets, graded by two pharmacists.",
        "from": "plugins/leaflets.py",
    }
    assert listed("tasks")["STS17-ar"]["from"] == "zoo"
    assert list(listed("modules")) == [
        *("transformer", "custom"),
        *("mean", "cls", "max", "lasttoken"),
        *("dense", "normalize"),
    ]
    assert re.search(r"^acute +loss +scale: float = 20\.0", zoo("ls", "--losses")[1], re.MULTILINE)


def test_check_names_the_plugins(plugged: Path, zoo: Any) -> None:
    plug(plugged, "empty.py", "")
    plug(plugged, "_shared.py", "raise ValueError")  # begins with '_': no plugin
    assert zoo("check")[1].splitlines() == [
        "12 recipes are fine",
        "plugins/acute.py: loss 'acute'",
        "plugins/empty.py: adds nothing",
        "plugins/leaflets.py: evaluation task 'Leaflets'",
        "plugins/shorter.py: step 'shorter'",
    ]
    assert json.loads(zoo("check", "--json")[1])["plugins"]["plugins/acute.py"] == ["loss 'acute'"]


def test_nothing_is_left_beside_plugins(plugged: Path, zoo: Any) -> None:
    assert zoo("ls")[0] == 0
    assert sorted(path.name for path in (plugged / "plugins").iterdir()) == ["acute.py", "leaflets.py", "shorter.py"]


def test_what_a_plugin_prints_is_no_part_of_an_answer(lab: Path, zoo: Any) -> None:
    plug(lab, "loud.py", "print('hello')\n")
    code, out, err = zoo("ls", "--json")
    assert (code, err) == (0, "hello\n")
    assert json.loads(out)["recipes"]


# Whose they are


def test_workspaces_do_not_see_each_others_plugins(tmp_path: Path) -> None:
    one, other = (workspace_in(tmp_path / name) for name in ("one", "other"))
    plug(one.root, "acute.py", ACUTE)
    plug(other.root, "acute.py", ACUTE.replace("20.0", "7.0").replace('"acute"', '"corner"'))
    with one.in_use():
        assert ("acute" in LOSSES, "corner" in LOSSES) == (True, False)
        with other.in_use():
            assert ("acute" in LOSSES, "corner" in LOSSES) == (False, True)
            assert LOSSES["corner"].options(type="corner").scale == 7.0
        assert ("acute" in LOSSES, "corner" in LOSSES) == (True, False)
    assert list(LOSSES) == OURS


def test_a_command_leaves_no_plugins_behind(plugged: Path, zoo: Any) -> None:
    assert zoo("ls", "--losses")[0] == 0
    assert "acute" not in LOSSES
    assert "Leaflets" not in TASKS


def test_plugins_of_a_resolved_recipes_folder_are_not_run(lab: Path, zoo: Any, tmp_path_factory: Any) -> None:
    elsewhere = tmp_path_factory.mktemp("downloaded")
    trap = elsewhere / "ran"
    plug(elsewhere, "evil.py", f"open({str(trap)!r}, 'w')\n")
    recipe = Workspace(lab).recipe("arabert-hybrid")
    (elsewhere / "recipe.yaml").write_text(dump(recipe).replace("type: cosent", "type: evil"), "utf-8")
    code, _, err = zoo("build", "--recipe", str(elsewhere / "recipe.yaml"))
    assert code == 1
    assert "no loss 'evil'; see `zoo ls -h`" in err
    assert "hint: put the plugin that defines loss 'evil' into plugins/; or edit recipe.yaml" in err.replace(
        f"{elsewhere}/", ""
    )
    assert zoo("lint", str(elsewhere), "--offline")[0] in (0, 1)
    assert not trap.exists()


def test_a_plugin_from_the_hub_is_not_run(lab: Path, hub: TestHub, zoo: Any) -> None:
    """`hf download ID --local-dir .` in a workspace."""
    from huggingface_hub import HfApi, snapshot_download

    HfApi().create_repo("lab/with-plugins")
    HfApi().upload_file(
        path_or_fileobj=b"open('ran', 'w')\n", path_in_repo="plugins/evil.py", repo_id="lab/with-plugins"
    )
    snapshot_download("lab/with-plugins", local_dir=lab)
    code, _, err = zoo("ls")
    assert (code, (lab / "ran").exists()) == (1, False)
    note = lab / ".cache/huggingface/download/plugins/evil.py.metadata"
    assert err.splitlines() == [
        "error: plugins/evil.py was downloaded from the Hub: code of others is not run",
        f"hint: remove it; or read it, and when you want to run it: rm {note}",
    ]
    note.unlink()
    assert zoo("ls")[0] == 0
    assert (lab / "ran").exists()


@pytest.mark.parametrize("folder", [".", "plugins"])
def test_a_plugin_that_was_fetched_alone_is_not_run(lab: Path, hub: TestHub, zoo: Any, folder: str) -> None:
    """`hf download ID evil.py --local-dir plugins`: the note on it is in that folder."""
    from huggingface_hub import HfApi, hf_hub_download

    (lab / "plugins").mkdir()
    HfApi().create_repo("lab/alone", exist_ok=True)
    name = "evil.py" if folder == "plugins" else "plugins/evil.py"
    HfApi().upload_file(path_or_fileobj=b"open('ran', 'w')\n", path_in_repo=name, repo_id="lab/alone")
    hf_hub_download("lab/alone", name, local_dir=lab / folder)
    code, _, err = zoo("ls")
    assert (code, (lab / "ran").exists()) == (1, False)
    note = (lab / folder).resolve() / f".cache/huggingface/download/{name}.metadata"
    assert "error: plugins/evil.py was downloaded from the Hub: code of others is not run\n" in err
    assert err.endswith(f"when you want to run it: rm {note}\n")


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("own_cache", [True, False])
def test_a_workspace_in_the_cache_of_the_hub_is_not_run(
    lab: Path, hub: TestHub, zoo: Any, monkeypatch: pytest.MonkeyPatch, links: bool, own_cache: bool
) -> None:
    """`cd $(hf download ID)`, also where the file system has no links."""
    from huggingface_hub import HfApi, snapshot_download

    repo = f"lab/whole-{links}-{own_cache}"
    HfApi().create_repo(repo)
    plug(lab, "evil.py", "open('ran', 'w')\n")
    HfApi().upload_folder(folder_path=lab, repo_id=repo)
    there = Path(snapshot_download(repo, cache_dir=lab / "cache" if own_cache else None))
    if not links:
        file = there / "plugins/evil.py"
        source = file.read_bytes()
        file.unlink()
        file.write_bytes(source)
    monkeypatch.chdir(there)
    code, _, err = zoo("ls")
    assert (code, (there / "ran").exists()) == (1, False)
    assert err.startswith(
        "error: plugins/evil.py was downloaded from the Hub: code of others is not run\nhint: read it"
    )


def test_a_link_to_a_blob_is_not_run(lab: Path, zoo: Any) -> None:
    plug(lab, "evil.py", "open('ran', 'w')\n").rename(lab / "0a1b")
    (lab / "blobs").mkdir()
    (lab / "0a1b").rename(lab / "blobs" / "0a1b")
    (lab / "plugins" / "evil.py").symlink_to(lab / "blobs" / "0a1b")
    assert "plugins/evil.py was downloaded from the Hub" in zoo("ls")[2]
    assert not (lab / "ran").exists()
    (lab / "blobs").rename(lab / "mine")
    (lab / "plugins" / "evil.py").unlink()
    (lab / "plugins" / "evil.py").symlink_to(lab / "mine" / "0a1b")
    assert zoo("ls")[0] == 0, "a link to a file of one's own is one's own"


def test_another_process_uses_the_same_plugins(plugged: Path) -> None:
    import subprocess

    code = (
        "import sys\nfrom pathlib import Path\nfrom zoo.plugins import loading\nfrom zoo.losses import LOSSES\n"
        "loading.use(Path(sys.argv[1]))\nprint(list(LOSSES)[-1], loading.root_in_use())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(plugged)], capture_output=True, text=True, check=True)
    assert done.stdout == f"acute {plugged}\n"


# What a package brings


def installed(folder: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with an entry point, as pip leaves it."""
    from zoo.plugins import loading

    info = folder / "lab_losses-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-losses\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[zoo.plugins]\nlosses = lab_losses_of_tests\n")
    (folder / "lab_losses_of_tests.py").write_text(source)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "lab_losses_of_tests", raising=False)
    loading.of_packages.cache_clear()


@pytest.fixture
def without_packages() -> Any:
    from zoo.plugins import loading

    yield
    loading.of_packages.cache_clear()


def test_an_installed_package_adds_for_every_workspace(
    lab: Path, zoo: Any, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: Any, without_packages: None
) -> None:
    folder = tmp_path_factory.mktemp("site")
    installed(folder, ACUTE, monkeypatch)
    row = json.loads(zoo("ls", "--losses", "--json")[1])["losses"][-1]
    assert (row["name"], row["from"]) == ("acute", "package lab-losses 1.2")
    plug(lab, "mine.py", ACUTE)
    assert zoo("ls")[2].splitlines() == [
        "error: plugins/mine.py, line 8: loss 'acute' is registered already, by package lab-losses 1.2",
        "hint: edit plugins/mine.py, then `zoo check`",
    ]


def test_a_package_that_is_broken_is_told(
    lab: Path, zoo: Any, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: Any, without_packages: None
) -> None:
    installed(tmp_path_factory.mktemp("site"), "\nimport zoo_has_no_such\n", monkeypatch)
    assert zoo("check")[2].splitlines() == [
        "error: package lab-losses 1.2, line 2: no module 'zoo_has_no_such'",
        "hint: pip install zoo_has_no_such",
    ]


def packaged(folder: Path, files: dict[str, str], monkeypatch: pytest.MonkeyPatch, version: str = "1.2") -> None:
    """A package of several modules; its entry point is the module `losses`."""
    from zoo.plugins import loading

    installed(folder, "", monkeypatch)
    info = folder / "lab_losses-1.2.dist-info"
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: lab-losses\nVersion: {version}\n")
    (info / "entry_points.txt").write_text("[zoo.plugins]\nlosses = lab_package.losses\n")
    for name, text in {"__init__.py": "", **files}.items():
        path = folder / "lab_package" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    for name in [name for name in sys.modules if name.split(".")[0] == "lab_package"]:
        monkeypatch.delitem(sys.modules, name)
    loading.of_packages.cache_clear()


def test_a_change_beside_a_packages_module_is_a_change(
    lab: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: Any, without_packages: None
) -> None:
    def digest(files: dict[str, str], version: str = "1.2") -> str | None:
        folder = tmp_path_factory.mktemp("site")
        with monkeypatch.context() as patch:
            packaged(folder, {"losses.py": ACUTE, "maths.py": "TWO = 2\n", **files}, patch, version)
            with Workspace(lab).in_use():
                return LOSSES.digests(["acute"])["loss 'acute'"]

    first = digest({})
    assert first == digest({}), "it does not depend on where the package is"
    assert len({first, digest({"maths.py": "TWO = 3\n"}), digest({"__init__.py": "\n"}), digest({}, "1.3")}) == 4


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("\nraise RuntimeError('no licence')", ", line 2: it cannot be imported: RuntimeError: no licence"),
        ("import sys\nsys.exit(3)", ", line 2: it cannot be imported: SystemExit: 3"),
        ("import zoo_has_no_such", ", line 1: no module 'zoo_has_no_such'"),
    ],
)
def test_a_package_whose_outside_cannot_be_imported_is_told(
    lab: Path, zoo: Any, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: Any, without_packages: None,
    source: str, told: str,
) -> None:  # fmt: skip
    packaged(tmp_path_factory.mktemp("site"), {"__init__.py": source, "losses.py": ACUTE}, monkeypatch)
    code, _, err = zoo("check")
    assert code == 1
    assert err.startswith(f"error: package lab-losses 1.2{told}\nhint: pip install ")


# What may be wrong with one

HEAD = "from zoo.plugins import graded_pairs, loss, module, step, task\n"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def", "line 1: it cannot be imported: SyntaxError: invalid syntax"),
        ("import torhc", "line 1: no module 'torhc'"),
        ("\n1 / 0", "line 2: it cannot be imported: ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit('no')", "line 2: it cannot be imported: SystemExit: no"),
        ("from zoo.plugins import losss", "line 1: it cannot be imported: ImportError: cannot import name 'losss'"),
        ("\x00", "it cannot be imported: SyntaxError: source code string cannot contain null bytes"),
        (ACUTE.replace('"acute"', '"mnrl"'), "line 8: loss 'mnrl' is registered already, by zoo"),
        (ACUTE + ACUTE.split("import loss")[1], "line 17: loss 'acute' is registered already, by plugins/mine.py"),
        (ACUTE.replace('"acute"', '"An gle"'), "line 8: 'An gle' is no name of a loss"),
        (ACUTE.replace(": float", ""), "line 8: option 'scale' of loss 'acute' has no type, as in 'scale: float'"),
        (ACUTE.replace("20.0", "'wide'"), "line 8: the default of option 'scale' of loss 'acute' is not of its type"),
        (ACUTE.replace("model, *,", "model,"), "line 8: argument 'scale' of loss 'acute' is no option: put it after '*'"),
        (ACUTE.replace("model, *, scale: float = 20.0", "scale=2"), "line 8: argument 'scale' of loss 'acute' is no option"),
        (SHORTER.replace("texts, *,", "texts,"), "line 4: argument 'than' of step 'shorter' is no option: put it after '*'"),
        (SHORTER.replace("texts, *,", "*,"), "line 4: step 'shorter' takes 1 arguments before '*', and is given 2: rows, texts"),
        (
            HEAD + "@module('own')\ndef own(width, out: int):\n    'Mine.'\n",
            "line 2: argument 'out' of module 'own' is no option: put it after '*'",
        ),
        (HEAD + "@step('same')\ndef same(frame, texts):\n    return frame\n", "line 2: step 'same' does not say what it is for"),
        (HEAD + "graded_pairs('A/B', 'data/a.tsv', 'Pairs.')", "line 2: 'A/B' is no name of an evaluation task"),
        (HEAD + "graded_pairs('A', 'data/no.tsv', 'Pairs.')", "/data/no.tsv': No such file or directory"),
        (HEAD + "graded_pairs('STS17-ar', 'data/a.tsv', 'Pairs.')", "evaluation task 'STS17-ar' is registered already, by zoo"),
        (
            HEAD + "@task('A', kind='STSs', metric='x', dataset='a/b', revision='0' * 40, rows=1)\ndef a(ours):\n    'A.'",
            "line 2: evaluation task 'A' is of kind 'STSs', not of: STS, PairClassification",
        ),
        (
            HEAD + "@task('A', kind='STS', metric='x', dataset='a/b', revision='0' * 40, rows=1)\ndef a(ours):\n    'A.'",
            "line 2: evaluation task 'A' is scored by 'x', which has no intervals for STS: cosine_(spearman|pearson)",
        ),
        (
            HEAD + "@task('A', kind='STS', metric='x', dataset='a/b', revision='main', rows=1)\ndef a(ours):\n    'A.'",
            "line 2: the revision of evaluation task 'A' is no commit",
        ),
    ],
)  # fmt: skip
def test_a_broken_plugin_is_one_sentence(lab: Path, zoo: Any, source: str, told: str) -> None:
    (lab / "data").mkdir()
    (lab / "data" / "a.tsv").write_text(leaflets(), "utf-8")
    plug(lab, "mine.py", source)
    for command in (["check"], ["ls"], ["build", "arabert-hybrid"], ["show", "arabert-hybrid"]):
        code, _, err = zoo(*command)
        error, hint = err.splitlines()
        assert code == 1
        assert error.startswith("error: plugins/mine.py")
        assert told in error
        assert hint in ("hint: edit plugins/mine.py, then `zoo check`", "hint: pip install torhc")
    assert list(LOSSES) == OURS


@pytest.mark.parametrize(
    ("source", "other"),
    [
        ("import acute", "plugins/acute.py"),
        ("from acute import acute", "plugins/acute.py"),
        ("import _shared", "plugins/_shared.py"),
        ("import plugins.acute", "plugins"),
    ],
)
def test_a_plugin_that_imports_another_is_told_that_it_stands_alone(
    lab: Path, zoo: Any, source: str, other: str
) -> None:
    plug(lab, "acute.py", ACUTE)
    plug(lab, "_shared.py", "")
    plug(lab, "mine.py", source)
    assert zoo("check")[2].splitlines() == [
        f"error: plugins/mine.py, line 1: a plugin stands alone; {other} cannot be imported by another",
        "hint: copy what it needs into plugins/mine.py; or make a package of both",
    ]


def test_every_broken_plugin_is_told_at_once(lab: Path, zoo: Any) -> None:
    plug(lab, "one.py", "import one_of_none")
    plug(lab, "two.py", "1 / 0")
    (lab / "recipes" / "more.yml").write_text("", "utf-8")
    errors = [line for line in zoo("check")[2].splitlines() if line.startswith("error: ")]
    assert [error.split(":")[1].split(",")[0].strip() for error in errors] == [
        "'recipes/more.yml' is not read",
        "plugins/one.py",
        "plugins/two.py",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "' is empty"),
        ("a\tb\tc\n", "line 1: 'a b c' where 'sentence1 sentence2 score' belongs"),
        ("sentence1\tsentence2\tscore\n", "has 0 rows and no two scores that differ"),
        ("sentence1\tsentence2\tscore\na\tb\t1\n", "has 1 row and no two scores that differ"),
        ("sentence1\tsentence2\tscore\na\tb\n", "line 2: 2 columns where 3 belong, with tabs between them"),
        ("sentence1\tsentence2\tscore\na\tb\t1,5\n", "line 2: '1,5' is no number"),
        ("sentence1\tsentence2\tscore\na\tb\tnan\n", "line 2: score 'nan' is not from 0 to 4"),
        ("sentence1\tsentence2\tscore\na\tb\t5\n", "line 2: score '5' is not from 0 to 4"),
        ("sentence1\tsentence2\tscore\na\t \t1\n", "line 2: a sentence is empty"),
    ],
)
def test_a_file_of_pairs_is_checked_line_by_line(plugged: Path, text: str, told: str) -> None:
    (plugged / "data" / "leaflets.tsv").write_text(text, "utf-8")
    with pytest.raises(PluginError) as caught:
        Workspace(plugged).every_recipe()
    assert caught.value.message.startswith("plugins/leaflets.py, line 3: ")
    assert told in caught.value.message


def test_quotes_in_a_file_of_pairs_are_text(plugged: Path) -> None:
    from zoo.tasks.graded import read_pairs

    path = plugged / "data" / "leaflets.tsv"
    path.write_text('sentence1\tsentence2\tscore\n"قال\tقال "نعم"\t1\nأ\tب\t2\n', "utf-8")
    assert read_pairs(path, 0, 4) == [('"قال', 'قال "نعم"', 1.0), ("أ", "ب", 2.0)]


OWN_TASK = """from zoo.plugins import task


@task(
    "Captions", kind="STS", metric="cosine_pearson", dataset="mteb/sts17-crosslingual-sts", subset="ar-ar", rows=250,
    revision="faeb762787bd10488a50c8b5be4a3b82e411949c",
)
def captions(ours):
    \"""Captions of images, scored as they were before ranks.\"""
    from mteb.abstasks import AbsTaskSTS
    from zoo.tasks.own import metadata_of

    class Captions(AbsTaskSTS):
        metadata = metadata_of(ours)
        fast_loading = True  # mteb's own STS17 has all languages in one file, too

    return Captions
"""


@pytest.mark.parametrize(
    ("old", "new", "told", "hint"),
    [
        ("rows=250", "rows=251", "task 'Captions' has '250' rows, plugins/captions.py says 251", "remove the cached copy"),
        (
            "metadata_of(ours)",
            "metadata_of(ours).model_copy(update={'main_score': 'pearson'})",
            "evaluation task 'Captions' says metric 'cosine_pearson', its AbsTask 'pearson'",
            "correct one of them in plugins/captions.py",
        ),
        ("return Captions", "return None", "evaluation task 'Captions' makes a 'NoneType', which is no AbsTask of mteb's", "return one in"),
        ("metadata_of(ours)", "1 / 0", "evaluation task 'Captions' failed: ZeroDivisionError: division by zero", "see plugins/captions.py, line 14"),
        ("    return Captions", "    Captions.load_data = lambda self: 1 / 0\n    return Captions", "evaluation task 'Captions' failed: ZeroDivisionError", "see plugins/captions.py, line 17"),
    ],
)  # fmt: skip
def test_a_task_that_is_not_as_it_says_is_told(
    lab: Path, seeded: TestHub, old: str, new: str, told: str, hint: str
) -> None:
    from zoo.tasks.loading import load_task

    plug(lab, "captions.py", OWN_TASK.replace(old, new))
    with Workspace(lab).in_use(), pytest.raises(ZooError) as caught:
        load_task("Captions")
    assert caught.value.message.startswith(told)
    assert str(caught.value.hint).startswith(hint)


def test_an_abstask_of_ones_own_is_handed_to_mteb(lab: Path, seeded: TestHub) -> None:
    from zoo.evaluate.encoders import CharacterTfidf
    from zoo.evaluate.measure import _evaluate
    from zoo.tasks.loading import load_task, rows_of, task_texts

    plug(lab, "captions.py", OWN_TASK)
    with Workspace(lab).in_use():
        ours, task, theirs = TASKS["Captions"], load_task("Captions"), load_task("STS17-ar")
        assert not TASKS["Captions"].official
        assert ours.mteb.startswith("Captions-")
        assert rows_of(task, ours) == rows_of(theirs, TASKS["STS17-ar"])
        baseline = CharacterTfidf(task_texts(task, ours))
        found, known = (_evaluate(baseline, *one, None, 32) for one in ((task, "Captions"), (theirs, "STS17-ar")))
    mine, official_scores = (one.result.scores["test"][0] for one in (found, known))
    assert mine["main_score"] == official_scores["cosine_pearson"]
    assert found.result.task_name == ours.mteb


# A change makes what depends on it again


def test_ingredients_hold_the_digests_of_the_plugins_that_are_used(plugged: Path) -> None:
    from zoo.options import digests
    from zoo.run import file_digest, first_difference

    write(plugged, "family.yaml", "loss: {type: cosent}", "loss: {type: matryoshka, inner: {type: acute}}")
    write(plugged, "datasets/arabic-stsb.yaml", "columns:", "steps: [not_empty, {type: shorter, than: 80}]\ncolumns:")
    space = Workspace(plugged)
    recipe = space.recipe("arabert-hybrid")
    with space.in_use():
        assert digests(recipe.base, recipe.phases) == {
            "plugins": {"loss 'acute'": file_digest(plugged / "plugins/acute.py")}
        }
        dataset = recipe.datasets["arabic-stsb"]
        before = digests(dataset.steps)
        assert list(before["plugins"]) == ["step 'shorter'"]
        assert digests(recipe.datasets["arabic-nli-pair-class"].steps) == {}
        was = pins(["STS17-ar", "Leaflets"])
        mteb = TASKS["Leaflets"].mteb
    assert was["STS17-ar"] == TASKS["STS17-ar"].revision
    plug(plugged, "shorter.py", SHORTER + "# edited\n")
    plug(plugged, "leaflets.py", LEAFLETS + "# edited\n")
    changed = Workspace(plugged)
    with changed.in_use():
        after = digests(dataset.steps)
        now = pins(["STS17-ar", "Leaflets"])
        assert str(first_difference(before, after)).startswith("plugins.step 'shorter' changed (")
        assert (now["STS17-ar"], now["Leaflets"]) != (was["STS17-ar"], was["Leaflets"])
        assert TASKS["Leaflets"].mteb != mteb, "mteb's result file of the plugin as it was is another one"
    (plugged / "data" / "leaflets.tsv").write_text(leaflets() + "أ\tب\t1\n", "utf-8")
    with Workspace(plugged).in_use():
        assert pins(["Leaflets"])["Leaflets"].split("+")[0] != now["Leaflets"].split("+")[0]


def test_a_changed_own_task_is_told_in_few_words(plugged: Path) -> None:
    from zoo.run import first_difference

    with Workspace(plugged).in_use():
        was = pins(["Leaflets"])
    plug(plugged, "leaflets.py", LEAFLETS + "# edited\n")
    with Workspace(plugged).in_use():
        told = first_difference(was, pins(["Leaflets"]))
    assert told is not None
    assert (told.startswith("Leaflets changed ("), len(told) < 80) == (True, True), told
    assert first_difference({"a": "x" * 40}, {"a": "y" * 64}) == f"a changed ({'x' * 40} -> {'y' * 64})"


# Earlier versions


def test_recipes_that_say_filters_still_read(tmp_path: Path) -> None:
    """As zoo/recipe.yaml of models that were published before there were steps."""
    recipe = Workspace(ROOT).recipe("e5-hybrid")
    steps = r"steps:\n +- not_empty\n +- \{type: unique, normalised: false\}"
    text = re.sub(steps, "filters: [not_empty, unique]", dump(recipe))
    assert text.count("\n  modules: []\n") + text.count("\n    modules: []\n") == 2
    text = text.replace("\n  modules: []\n", "\n").replace("\n    modules: []\n", "\n")
    assert text.count("filters:") > 2
    (tmp_path / "recipe.yaml").write_text(text, "utf-8")
    assert load_resolved(tmp_path / "recipe.yaml") == recipe


# Modules


def test_poolings_and_modules_are_built_in_order() -> None:
    from zoo import modules
    from zoo.recipe.schema import Base

    base = Base(
        model="a/b",
        width=32,
        pooling="lasttoken",
        modules=[{"type": "dense", "out": 32, "activation": "none"}, "normalize"],
    )
    first, second = (modules.build_modules(base.pooling, base.modules, 48) for _ in range(2))
    assert [type(one).__name__ for one in first] == ["Pooling", "Dense", "Normalize"]
    assert (first[0].pooling_mode, first[1].in_features, first[1].out_features) == ("lasttoken", 48, 32)
    assert (first[1].linear.weight == second[1].linear.weight).all(), "new weights are the same every time"
    assert base.model_dump(mode="json")["modules"] == [
        {"type": "dense", "out": 32, "bias": True, "activation": "none"},
        "normalize",
    ]


def test_a_module_that_readers_would_not_have_is_refused(lab: Path) -> None:
    from zoo import modules
    from zoo.recipe.schema import Base

    source = HEAD + "@module('own')\ndef own(width):\n    'Mine.'\n    from torch import nn\n\n    return nn.Tanh()\n"
    plug(lab, "own.py", source)
    with Workspace(lab).in_use():
        base = Base(model="a/b", width=32, pooling="mean", modules=["own"])
        with pytest.raises(ZooError, match="module 'own' makes a 'torch.nn.modules.activation.Tanh', which readers of"):
            modules.build_modules(base.pooling, base.modules, 32)


# What fails while it is used


@pytest.mark.parametrize(
    ("line", "told", "hint"),
    [
        ("raise KeyError('no')", "step 'own' failed: KeyError: 'no'", "see plugins/own.py, line 5"),
        ("import sys; sys.exit(0)", "step 'own' failed: SystemExit: 0", "see plugins/own.py, line 5"),
        ("return frame.lazy()", "step 'own' gives a 'LazyFrame', which is no DataFrame of polars", "return one in plugins/own.py, line 2"),
        ("return None", "step 'own' gives a 'NoneType', which is no DataFrame of polars", "return one in plugins/own.py, line 2"),
        ("return frame[['b', 'a']]", "step 'own' gives b (String), a (String)", "its columns must stay a (String), b (String): see plugins/own.py, line 2"),
        ("return frame.vstack(frame)", "step 'own' made 4 rows of 2: steps take rows away", "see plugins/own.py, line 2"),
    ],
)  # fmt: skip
def test_a_step_that_does_not_keep_to_it_is_one_sentence(lab: Path, line: str, told: str, hint: str) -> None:
    import polars as pl

    from zoo.data.stepping import stepped
    from zoo.recipe import Dataset

    plug(
        lab, "own.py", f"from zoo.plugins import step\n@step('own')\ndef own(frame, texts):\n    'Mine.'\n    {line}\n"
    )
    columns = {"a": {"type": "text"}, "b": {"type": "text"}}
    with Workspace(lab).in_use():
        dataset = Dataset.model_validate({"source": {"dataset": "a/b"}, "columns": columns, "steps": ["own"]})
        with pytest.raises(DataError) as caught:
            stepped("mine", dataset, 0, pl.LazyFrame({"a": ["x", "y"], "b": ["z", "z"]}))
    assert (caught.value.message, caught.value.hint) == (f"dataset 'mine': {told}", hint)


@pytest.mark.parametrize(
    ("lines", "told", "hint"),
    [
        ("return rows.filter(pl.col(texts[0]) != 'b')", None, None),
        ("return rows.with_columns(pl.when(pl.col(texts[0]) == 'b').then(pl.lit('it is b')).alias('@why'))", None, None),
        ("return pl.concat([rows, rows])", "made 4 rows of 2: steps take rows away", "see plugins/own.py, line 4"),
        ("return rows.filter(pl.col('none') == 1)", "failed: ColumnNotFoundError: ", "see plugins/own.py"),
        ("return rows.with_columns(pl.col(texts[0]).cast(pl.Int64).cast(pl.String))", "failed: InvalidOperationError: ", "see plugins/own.py"),
    ],
)  # fmt: skip
def test_a_step_of_a_plugin_streams(lab: Path, lines: str, told: str | None, hint: str | None) -> None:
    from test_files import in_stage

    head = "import polars as pl\nfrom zoo.plugins import step\n\n@step('own', streams=True)\n"
    plug(lab, "own.py", f"{head}def own(rows, texts):\n    'Mine.'\n    {lines}\n")
    (lab / "a.csv").write_text("anchor,positive\na,x\nb,y\n", "utf-8")
    columns = {"anchor": {"type": "text"}, "positive": {"type": "text"}}
    with Workspace(lab).in_use():
        if told is None:
            found = in_stage(lab, {"path": "a.csv"}, columns, steps=["own"])
            assert found["train"]["anchor"].to_list() == ["a"]
            return
        with pytest.raises(DataError) as caught:
            in_stage(lab, {"path": "a.csv"}, columns, steps=["own"])
    assert caught.value.message.startswith(f"dataset 'mine': step 'own' {told}")
    assert hint in str(caught.value.hint)


LOSS = """from zoo.plugins import loss
@loss("own", texts=(2, 2))
def own(model):
    "Mine."
    from torch import nn
    class Own(nn.Module):
        def forward(self, features, labels):
            return 1 / 0
    return Own()
"""


@pytest.mark.parametrize(
    ("line", "told", "hint"),
    [
        ("return None", "loss 'own' makes a 'NoneType', which is no torch.nn.Module", "return one in plugins/own.py, line 2"),
        ("return 1 / 0", "loss 'own' failed: ZeroDivisionError: division by zero", "see plugins/own.py, line 9"),
        ("raise SystemExit(0)", "loss 'own' failed: SystemExit: 0", "see plugins/own.py, line 9"),
    ],
)  # fmt: skip
def test_a_loss_that_is_none_is_one_sentence(lab: Path, line: str, told: str, hint: str) -> None:
    from zoo.losses import build_loss

    plug(lab, "own.py", LOSS.replace("return Own()", line))
    with Workspace(lab).in_use(), pytest.raises(TrainError) as caught:
        build_loss(LOSSES["own"].options(type="own"), None)
    assert (caught.value.message, caught.value.hint) == (told, hint)


def test_a_loss_that_fails_in_training_is_one_sentence_and_our_own_bugs_keep_their_traceback(lab: Path) -> None:
    from zoo.losses import build_loss, losses_blamed

    plug(lab, "own.py", LOSS)
    with Workspace(lab).in_use():
        spec = LOSSES["own"].options(type="own")
        inner = LOSSES["matryoshka"].options(type="matryoshka", inner=spec)
        for named in (spec, inner):
            with pytest.raises(TrainError) as caught, losses_blamed([named], "phase 'pairs' of 'mine'"):
                build_loss(spec, None)({}, None)
            told = "phase 'pairs' of 'mine': loss 'own' failed: ZeroDivisionError: division by zero"
            assert (caught.value.message, caught.value.hint) == (told, "see plugins/own.py, line 8")
        with pytest.raises(RuntimeError, match="^ours$"), losses_blamed([inner], "phase"):
            raise RuntimeError("ours")


# One of each, built

FAMILY = """
name: Lab
suite: own
suites:
  own: [Leaflets]
phases:
  pairs:
    data: [{dataset: pairs, loss: {type: matryoshka, inner: {type: acute, scale: 10}}}]
    train: {max_steps: 6, batch_size: 16, learning_rate: 1.0e-4, max_seq_length: 32, eval_steps: 3}
    dev: pairs
"""
PAIRS = """
source: {dataset: Omartificial-Intelligence-Space/Arabic-stsb}
columns: {sentence1: {type: text}, sentence2: {type: text}, score: {type: score}}
steps: [not_empty, unique, {type: shorter, than: 40}]
rows: {train: 200, validation: 60, test: 60}
"""
TINY = """
base: {model: tests/tiny-plugged, width: 48, pooling: mean, max_seq_length: 32}
dims: [48, 24]
variants: {acute: {repo: tiny-acute, phases: [pairs]}}
"""


@pytest.fixture
def built(tmp_path: Path, seeded: TestHub) -> Callable[[], Any]:
    from zoo.hub.store import Store
    from zoo.miniature.standins import stand_in

    made = stand_in("tests/tiny-plugged", None, architecture="bert", tokenizer="wordpiece", width=48)
    store = Store(seeded.root)
    store.import_commit("model", made.id, made.files)
    store.close()
    for name, text in (("family", FAMILY), ("tiny", TINY), ("datasets/pairs", PAIRS)):
        path = tmp_path / "recipes" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    plug(tmp_path, "acute.py", ACUTE)
    plug(tmp_path, "shorter.py", SHORTER)
    plug(tmp_path, "leaflets.py", LEAFLETS)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "leaflets.tsv").write_text(leaflets(), "utf-8")

    def build() -> Any:
        from zoo.pipeline.build import Build

        space = Workspace(tmp_path)
        done = Build(space, "full", progress=Silent())
        done.run(space.recipe("tiny-acute"))
        return done

    return build


def did(build: Any) -> dict[str, str]:
    return {stage: outcome.why for (_, stage), outcome in build.done.items() if outcome.did == "built"}


def test_an_own_loss_step_and_task_are_built_evaluated_and_in_the_card(
    built: Callable[[], Any], tmp_path: Path
) -> None:
    first = built()
    run = first.folder("tiny-acute")
    report = json.loads((first.folder("pairs").stage("data") / "report.json").read_text("utf-8"))
    assert list(report["train"]["dropped"]) == ["not_empty", "unique", "shorter"]
    assert report["train"]["dropped"]["shorter"] > 0
    scores = first.scores("tiny-acute")
    mine = scores.subject("self")
    assert mine.dims == [48, 24]
    for dim in mine.dims:
        score = scores.score(mine.name, "Leaflets", dim)
        assert score.low < score.value < score.high
        assert (score.rows, score.dataset, len(score.revision)) == (24, "data/leaflets.tsv", 40)
    assert (
        json.loads((run.stage("contamination") / "contamination.json").read_text("utf-8"))["tasks"]["Leaflets"]["rows"]
        == 24
    )
    card = (run.stage("card") / "README.md").read_text("utf-8")
    assert "matryoshka(acute)" in card
    assert "Leaflets, of our own: Sentences of leaflets, graded by two pharmacists" in card
    assert "| Leaflets | Mean |" in card
    assert did(built()) == {}
    plug(tmp_path, "acute.py", ACUTE + "# edited\n")
    again = did(built())
    assert list(again) == ["train"], "the same weights came out: nothing after it is stale"
    assert again["train"].startswith("plugins.loss 'acute' changed (")
    plug(tmp_path, "leaflets.py", LEAFLETS + "# edited\n")
    again = did(built())
    assert again["evaluate"].startswith("tasks.Leaflets changed (")
    assert "train" not in again
    (tmp_path / "plugins" / "acute.py").unlink()
    with pytest.raises(RecipeError, match="loss.inner: no loss 'acute'"):
        built()
    assert first.scores("tiny-acute").tasks == ["Leaflets"], "nothing is lost"


def test_a_step_that_fails_is_told_with_its_line(built: Callable[[], Any], tmp_path: Path) -> None:
    plug(tmp_path, "shorter.py", SHORTER.replace("import polars as pl", "import polars as pl\n    frame['gone']"))
    with pytest.raises(ZooError) as caught:
        built()
    assert caught.value.message.startswith("dataset 'pairs': step 'shorter' failed: ColumnNotFoundError: ")
    assert caught.value.hint == "see plugins/shorter.py, line 8"
    plug(
        tmp_path,
        "shorter.py",
        SHORTER.replace("    return frame.filter", "    return frame[['score']].filter").replace(
            "for text in texts", "for text in []"
        ),
    )
    with pytest.raises(ZooError, match=r"step 'shorter' gives score \(Float64\)"):
        built()


def test_a_loss_that_fails_while_it_trains_is_told_with_its_line(built: Callable[[], Any], tmp_path: Path) -> None:
    source = ACUTE.replace("    return AnglELoss(", "    class Mine(AnglELoss):\n        def forward(self, *_):\n")
    plug(
        tmp_path,
        "acute.py",
        source.replace("model, scale=scale)", "            return 1 / 0\n\n    return Mine(model)"),
    )
    with pytest.raises(TrainError) as caught:
        built()
    told = "phase 'pairs' of 'tiny-acute': loss 'acute' failed: ZeroDivisionError: division by zero"
    assert caught.value.message == told
    assert caught.value.hint == "see plugins/acute.py, line 15"


def test_steps_are_ours_when_there_are_no_plugins() -> None:
    ours = {
        "mine",
        "not_empty",
        "true_negatives",
        "unique",
        "normalise",
        "length",
        "language",
        "map",
        "relabel",
        "rescale",
    }
    assert ours | {"sample", "pairs", "triplets", "dedupe_against"} <= set(STEPS)
    assert all(STEPS.origin(name).digest is None for name in STEPS)
    assert override(Workspace(ROOT).recipe("arabert-hybrid"), ["datasets.arabic-stsb.steps=[unique]"])
