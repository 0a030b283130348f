"""Models that libraries load wrongly and without a word: each planted here, and refused with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, TestHub
from test_prove import push

from zoo.errors import TrainError
from zoo.evidence.fragments import CutWords
from zoo.isolation import CONSENTED
from zoo.lint.facts import NoHub
from zoo.lint.files import held_files
from zoo.lint.rules import rules
from zoo.lint.target import of_files
from zoo.miniature.standins import stand_in
from zoo.models.backbone.probe import keep_backbone, kept_backbone, probe_backbones, refuse_broken
from zoo.models.backbone.report import MARKED, PLAIN, BackboneReport, Language, language_of
from zoo.models.foreign.consent import consent_to
from zoo.models.fragmentation import HOMOGRAPHS, cut_words, letters_in
from zoo.models.identity import ModelSource, base_source
from zoo.recipe.remotecode import RemoteCode

Files = dict[str, bytes]
WIDTH = 96


@cache
def files_of(architecture: Any, tokenizer: Any, modules: Any = (), language: Language = "ar") -> Files:
    """The files of a stand-in. Nobody may change them."""
    shape: dict[str, Any] = {"architecture": architecture, "tokenizer": tokenizer, "modules": modules}
    return dict(stand_in("lab/backbone", None, **shape, width=WIDTH, language=language).files)


def written(files: Files, folder: Path) -> Path:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def changed(files: Files, path: str, **values: Any) -> Files:
    return {**files, path: json.dumps({**json.loads(files[path]), **values}).encode()}


# ---- models without code of their own ------------------------------------------------------------------------------


def empty_bpe(files: Files) -> Files:
    """What transformers 5 makes of a WordPiece tokenizer of a class with an `__init__`: a BPE of letters alone."""
    words = json.loads(files["tokenizer.json"])
    letters = sorted({letter for text in PLAIN["ar"] for letter in text if letter != " "})
    special = [token["content"] for token in words["added_tokens"]]
    vocab = {piece: number for number, piece in enumerate([*special, *letters])}
    words["model"] = {"type": "BPE", "vocab": vocab, "merges": [], "unk_token": "[UNK]"}
    words |= {"pre_tokenizer": {"type": "WhitespaceSplit"}, "decoder": None, "normalizer": None, "post_processor": None}
    words["added_tokens"] = [{**token, "id": vocab[token["content"]]} for token in words["added_tokens"]]
    files = {**files, "tokenizer.json": json.dumps(words).encode()}
    return changed(files, "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")


def with_weights(files: Files, name: str, change: Callable[[Any], Any]) -> Files:
    from safetensors.torch import load, save

    tensors = load(files["model.safetensors"])
    return {**files, "model.safetensors": save({**tensors, name: change(tensors[name])}, {"format": "pt"})}


def of_another(files: Files) -> Files:
    other = files_of("roberta", "bpe", language="en")
    tokenizers = {path: content for path, content in other.items() if "token" in path or path == "merges.txt"}
    return {path: content for path, content in files.items() if "token" not in path} | tokenizers


def too_few_rows(files: Files) -> Files:
    return changed(
        with_weights(files, "embeddings.word_embeddings.weight", lambda all_: all_[:50].clone()),
        "config.json",
        vocab_size=50,
    )


PLANTED: dict[str, tuple[Callable[[Files], Files], str]] = {
    "empty BPE": (
        empty_bpe,
        "words fall into letters (100% of the pieces of plain Arabic sentences are single letters)",
    ),
    "vocabulary of another model": (of_another, "words fall into letters (100%"),
    "more pieces than vectors": (too_few_rows, "pieces, and its embedding 50 vectors, so that some pieces have none"),
    "weights that are no numbers": (
        lambda files: with_weights(
            files, "encoder.layer.0.attention.self.query.weight", lambda one: one * float("nan")
        ),
        "some of its embeddings are no numbers (NaN or infinite)",
    ),
}
GOOD: dict[str, tuple[Any, ...]] = {
    "wordpiece": ("bert", "wordpiece", ("mean",)),
    "unigram": ("bert", "unigram", ("mean", "normalize")),
    "roberta": ("xlm-roberta", "unigram", ("mean",)),
    "english": ("roberta", "bpe", ("mean",), "en"),
}


def measured(source: ModelSource, language: Language, folder: Path) -> BackboneReport:
    """The report on a model that is loaded here, twice; two processes of their own are what slow tests start."""
    from zoo.models.backbone.work import examined

    folder.mkdir(exist_ok=True)
    first = examined(source, language, folder / "first.npy", None)
    second = examined(source, language, folder / "second.npy", folder / "first.npy")
    both = {"finite": first["finite"] and second["finite"]} if "finite" in first else {}
    return BackboneReport(model=source.place, language=language, **{**first, **second, **both})


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, BackboneReport]:
    """The reports on all of them."""
    folder, plain = tmp_path_factory.mktemp("backbones"), files_of("bert", "wordpiece")
    found: dict[str, BackboneReport] = {}

    def add(name: str, files: Files, language: Language = "ar", **options: Any) -> None:
        place = str(written(files, folder / name))
        found[name] = measured(ModelSource(kind="base", place=place, weights=name, **options), language, folder / "out")

    for name, (change, _) in PLANTED.items():
        add(name, change(plain), pooling="mean")
    for name, family in GOOD.items():
        add(name, files_of(*family), family[3] if len(family) > 3 else "ar")
    add("nothing", {"README.md": b""})
    add("positions", plain, pooling="mean", max_seq_length=600)
    return found


@pytest.mark.parametrize("name", PLANTED)
def test_a_broken_backbone_is_refused_with_its_reason(name: str, reports: dict[str, BackboneReport]) -> None:
    assert any(PLANTED[name][1] in one for one in reports[name].problems()), reports[name].problems()
    assert "no" in [row["fine"] for row in reports[name].table()]


@pytest.mark.parametrize("name", GOOD)
def test_a_sound_backbone_passes_whatever_it_makes_of_diacritics(name: str, reports: dict[str, BackboneReport]) -> None:
    report = reports[name]
    assert report.problems() == []
    assert report.processes == 0
    assert report.finite
    assert report.comes_back == 1
    assert (report.marked is None) == (name == "english")
    assert BackboneReport.model_validate_json(report.model_dump_json()) == report


def test_a_length_that_has_no_positions_is_told_with_the_one_that_has(reports: dict[str, BackboneReport]) -> None:
    report = reports["positions"]
    assert (report.length, report.takes) == (600, 512)
    (problem,) = report.problems()
    assert problem.startswith("a text beyond its 600 tokens fails (RuntimeError: The size of tensor a (600) ")
    assert problem.endswith(": set max_seq_length to 512")


# ---- models with code of their own ---------------------------------------------------------------------------------


def edited(files: Files, path: str, **edits: tuple[str, str]) -> Files:
    text = files[path].decode()
    for was, now in edits.values():
        assert was in text
        text = text.replace(was, now)
    return {**files, path: text.encode()}


MODELING = "modeling_modern.py"
IGNORED = {
    "mask": ("mask = None if attention_mask is None else attention_mask[:, None, None, :].bool()", "mask = None")
}
END = "            nn.init.ones_(module.weight)"
GARBAGE = """
        elif isinstance(module, ModernRotary):  # stands for what memory happened to hold
            for one in module.buffers():
                one.copy_(%s)
"""
DRAWN_ANEW = {
    "in_place": ("nn.init.normal_(module.weight, std=self.config.initializer_range)", "module.weight.data.normal_()"),
    "buffer": (
        "config.hidden_size, bias=False)\n        self.mlp_norm",
        "config.hidden_size, bias=False)\n        self.Wo.register_buffer('one', torch.ones(1), persistent=False)\n        self.mlp_norm",
    ),
}


@dataclass(frozen=True)
class Coded:
    """A model with code of its own, how it is loaded, and what is to be said of it; empty: nothing."""

    change: Callable[[Files], Files]
    pooling: str | None
    says: tuple[str, ...]


CODED = {
    "rebuilt": Coded(lambda files: files, "mean", ()),
    "angles at random": Coded(
        lambda files: edited(files, MODELING, garbage=(END, END + GARBAGE % "torch.rand_like(one)")),
        None,
        ("2 tensors that no file holds are not what its code computes ('rotary.cos' and 1 more)", "two processes"),
    ),
    "angles that are no numbers": Coded(
        lambda files: edited(files, MODELING, garbage=(END, END + GARBAGE % "one * float('nan')")),
        None,
        ("2 tensors that no file holds", "some of its embeddings are no numbers"),
    ),
    "no angles": Coded(
        lambda files: edited(files, MODELING, garbage=(END, END + GARBAGE % "torch.ones_like(one)")),
        None,
        ("2 tensors that no file holds",),
    ),
    "mask ignored": Coded(
        lambda files: edited(files, MODELING, **IGNORED),
        "mean",
        ("another embedding in a batch", "another embedding beside a longer one"),
    ),
    "weights drawn anew": Coded(
        lambda files: edited(files, MODELING, **DRAWN_ANEW),
        None,
        ("2 of its tensors have other numbers than its file ('layers.0.Wo.weight' and 1 more), as when code draws",),
    ),
    "weights and angles put back": Coded(lambda files: edited(files, MODELING, **DRAWN_ANEW), "mean", ()),
}


def named(files: Files, number: int) -> Files:
    """Give its classes names of their own: transformers knows those of a process by their names."""
    texts = {path: content for path, content in files.items() if path.endswith(".py") or path == "config.json"}
    own = {path: content.replace(b"Modern", b"Modern%d" % number) for path, content in texts.items()}
    return files | {path: content.replace(b"zoo-modern", b"zoo-modern%d" % number) for path, content in own.items()}


@pytest.fixture(scope="module")
def modern() -> Files:
    return files_of("modern", "wordpiece")


@pytest.mark.parametrize("name", CODED)
def test_code_that_breaks_a_model_is_found(
    name: str, modern: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coded = CODED[name]
    monkeypatch.setenv(
        CONSENTED, str(written(named(coded.change(modern), list(CODED).index(name)), tmp_path / "model"))
    )
    consent = {"revision": "1" * 40, "files": {MODELING: "1" * 64}}
    over = {"pooling": coded.pooling, "encoder": "custom"} if coded.pooling else {}
    source = ModelSource(kind="base", place="lab/modern", weights="1", remote_code=consent, **over)
    problems = measured(source, "ar", tmp_path / "out").problems()
    assert all(any(said in one for one in problems) for said in coded.says), problems
    assert bool(problems) == bool(coded.says), problems


@pytest.mark.slow
def test_a_model_with_consent_is_probed_by_processes_of_its_own(hub: TestHub, modern: Files) -> None:
    commit = push("model", "lab/modern-probed", modern)
    source = ModelSource(
        kind="base",
        place="lab/modern-probed",
        revision=commit,
        weights=commit,
        remote_code=consent_to("lab/modern-probed", commit),
    )
    broken, sound = probe_backbones(
        [(source, "ar"), (source.model_copy(update={"pooling": "mean", "encoder": "custom"}), "ar")]
    )
    assert sound.problems() == []
    assert broken.buffers == ("rotary.cos", "rotary.sin")
    with pytest.raises(
        TrainError, match="model 'lab/modern-probed' is broken: 2 tensors that no file holds"
    ) as refused:
        refuse_broken(source, broken)
    assert str(refused.value.hint).startswith("write pooling: mean and no encoder under `base`")


@pytest.mark.slow
def test_a_copy_that_was_compared_is_told_by_the_models_own_name(hub: TestHub, modern: Files) -> None:
    """The folder of the copy is gone when people read what failed; and another commit needs consent too."""
    push("model", "lab/modern-bare", {path: text for path, text in modern.items() if path != "model.safetensors"})
    consent = consent_to("lab/modern-bare")
    commit = consent.revision
    source = ModelSource(
        kind="base", place="lab/modern-bare", revision=commit, weights=commit, pooling="mean", remote_code=consent
    )
    (report,) = probe_backbones([(source, "ar")])
    assert str(report.failed).startswith("it has no weights as safetensors")
    assert str(report.hint).endswith("then zoo trust lab/modern-bare --revision with their commit")


SWIGLU = b"""
class SwiGLU(nn.Module):
    def __init__(self, width, inner, out, bias=False):
        super().__init__()
        self.w12, self.w3 = nn.Linear(width, 2 * inner, bias=bias), nn.Linear(inner, out, bias=bias)

    def forward(self, x):
        gate, value = self.w12(x).chunk(2, dim=-1)
        return self.w3(nn.functional.silu(gate) * value)
"""


@pytest.mark.slow
def test_a_model_like_neoarabert_is_broken_as_libraries_load_it_and_sound_as_we_do(hub: TestHub) -> None:
    files = dict(files_of("neoarabert", "wordpiece"))
    files["model.py"] = files["model.py"].replace(b"from xformers.ops import SwiGLU\n", SWIGLU)
    files["modules.json"] = files_of("bert", "wordpiece", ("mean",))["modules.json"]
    files["1_Pooling/config.json"] = files_of("bert", "wordpiece", ("mean",))["1_Pooling/config.json"]
    commit = push("model", "lab/neo-probed", files)
    consent = consent_to("lab/neo-probed", commit)
    at: dict[str, Any] = {"place": "lab/neo-probed", "revision": commit, "weights": commit, "remote_code": consent}
    whole = ModelSource(kind="base", **at)
    broken, sound = probe_backbones(
        [(whole, "ar"), (whole.model_copy(update={"pooling": "mean", "encoder": "custom"}), "ar")]
    )
    assert sound.problems() == []
    assert sound.told_apart == 1
    assert any("words fall into letters (100%" in one for one in broken.problems()), broken
    assert broken.buffers == ("freqs_cis",)


@pytest.mark.slow
def test_every_base_of_ours_has_a_sound_stand_in(tmp_path: Path) -> None:
    from zoo.recipe import Workspace

    space = Workspace(ROOT)
    recipes = {recipe.base.model: recipe for recipe in map(space.recipe, space.names)}
    models = []
    for number, recipe in enumerate(recipes.values()):
        shape = recipe.base.miniature
        files = files_of(shape.architecture, shape.tokenizer, shape.modules, *recipe.release.language[:1])
        source = base_source(recipe.base, "1").model_copy(
            update={"place": str(written(files, tmp_path / str(number))), "revision": None, "width": WIDTH}
        )
        if shape.architecture not in ("neoarabert", "modern"):  # those bring code, to which no recipe of ours consents
            models.append((source, language_of(recipe.release.language)))
    assert len(models) >= 6
    assert [report.problems() for report in probe_backbones(models)] == [[]] * len(models)


# ---- zoo lint, zoo build ---------------------------------------------------------------------------------------------


def test_a_recipe_with_a_broken_base_does_not_fit_and_its_problems_have_hints(
    reports: dict[str, BackboneReport], capsys: pytest.CaptureFixture[str]
) -> None:
    from zoo.cli.probe import _problems, _tell_found
    from zoo.pipeline.probe import Probe

    found = Probe("arabert-hybrid", "'lab/base'", [], [], reports["empty BPE"])
    assert not found.fits
    assert found.facts()["backbone"]["problems"]
    assert {problem.hint for problem in _problems(found)} == {
        "take all of its files from one commit, or choose another model"
    }
    _tell_found(found)
    (row,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("pieces of one letter")]
    assert row.split() == ["pieces", "of", "one", "letter", "100%", "plain,", "100%", "with", "diacritics", "no"]


def found_in(files: Files) -> list[str]:
    """The messages of rule L55 about a repository."""
    repo = of_files(held_files(files), NoHub(), kind="model")
    return [problem.message for problem in rules()["L55"].look(repo)]


@pytest.mark.parametrize("family", GOOD)
def test_tokenizers_of_every_family_are_no_findings(family: str) -> None:
    files = files_of(*GOOD[family])
    assert "tokenizer.json" in files
    assert found_in(files) == []
    assert found_in(files | {"vocab.txt": b"[UNK]\n##ha\n"}) == []


def model_of(files: Files, **values: Any) -> Files:
    tokenizer = json.loads(files["tokenizer.json"])
    return changed(files, "tokenizer.json", model=tokenizer["model"] | values)


LETTERS = {"[UNK]": 0, "ا": 1, "ب": 2}
EMPTY: dict[str, tuple[Callable[[Files], Files], str]] = {
    "nothing": (lambda files: model_of(files, vocab={}), "the vocabulary is empty: every text becomes"),
    "letters": (
        lambda files: model_of(files, vocab=LETTERS),
        "8 pieces, and config.json has vocab_size 2,218: most vectors are never used",
    ),
    "a BPE beside WordPiece": (
        lambda files: model_of(files, type="BPE", merges=[]) | {"vocab.txt": "باب\n##ها\n".encode()},
        "a BPE of 2,218 pieces without merges, and vocab.txt is of WordPiece: words fall into letters",
    ),
    "more than the model has": (
        lambda files: changed(files, "config.json", vocab_size=2000),
        "2,218 pieces, and config.json has vocab_size 2,000: some have no vector",
    ),
}


@pytest.mark.parametrize("name", EMPTY)
def test_a_vocabulary_that_is_not_the_models_is_a_finding(name: str) -> None:
    change, message = EMPTY[name]
    (found,) = found_in(change(files_of("bert", "wordpiece")))
    assert found.startswith(message)


@pytest.mark.slow
def test_lint_loads_a_model_only_when_asked(zoo: Any, hub: TestHub, modern: Files, tmp_path: Path) -> None:
    card = b"---\nlicense: mit\nlanguage: ar\n---\n# noor\n"
    folder = written(empty_bpe(files_of("bert", "wordpiece", ("mean",))) | {"README.md": card}, tmp_path / "noor")
    assert "L56" not in zoo("lint", str(folder), "--offline")[1]
    code, out, told = zoo("lint", str(folder), "--offline", "--probe")
    assert code == 1, told
    assert "config.json:1: L56 words fall into letters (100% of the pieces of plain Arabic sentences" in out
    commit = push("model", "lab/modern-linted", modern | {"README.md": card})
    code, out, told = zoo("lint", "lab/modern-linted", "--probe")
    assert "not checked: L56 (it asks for code of its own, and no code of others is run: " in out
    assert "not checked: L56" not in zoo("lint", "lab/modern-linted", "--probe", "--trust", commit)[1]


def test_trust_in_lint_is_for_the_probe_alone(zoo: Any, tmp_path: Path) -> None:
    code, _, told = zoo("lint", str(tmp_path), "--trust", "1" * 40)
    assert code != 0
    assert "--trust goes with --probe" in told


@pytest.mark.slow
def test_a_build_refuses_a_broken_base_with_code_before_it_makes_data(
    hub: TestHub, modern: Files, tmp_path: Path
) -> None:
    from conftest import workspace_in

    from zoo.layout import TRAIN
    from zoo.pipeline.build import Build
    from zoo.pipeline.stages import STAGES

    commit = push("model", "lab/modern-built", modern)
    space = workspace_in(tmp_path)
    recipe = space.recipe("arabert-matryoshka", scale="mini")
    base = recipe.base.model_copy(
        update={
            "model": "lab/modern-built",
            "revision": commit,
            "remote_code": consent_to("lab/modern-built", commit),
            "pooling": None,
            "width": WIDTH,
        }
    )
    build = Build(space, "mini")
    with pytest.raises(TrainError, match="model 'lab/modern-built' is broken: 2 tensors that no file holds"):
        build.run(recipe.model_copy(update={"base": base}))
    assert build.done == {}
    assert [path.suffix for path in (build.runs / "backbones").iterdir()] == [".json"]
    now = recipe.model_copy(update={"base": base})
    trained = {"recipe": STAGES[TRAIN].part(now), **STAGES[TRAIN].ingredients(now, build)}
    trained["recipe"]["base"]["pooling"] = "mean"
    with build.folder(recipe.name).making(TRAIN, trained):
        pass
    with pytest.raises(TrainError, match="model 'lab/modern-built' is broken: 2 tensors that no file holds"):
        build.run(now)


@pytest.mark.slow
def test_scores_of_a_model_that_libraries_break_are_told_so(hub: TestHub, modern: Files, tmp_path: Path) -> None:
    """One with modules of its own is loaded as it is, also where that leaves its angles as the memory was."""
    from conftest import workspace_in

    from zoo.evaluate.ingredients import Candidate
    from zoo.pipeline.evaluation import Request, doubts_of_code

    st = "sentence_transformers.models."
    modules = [{"path": "", "type": f"{st}Transformer"}, {"path": "1_P", "type": f"{st}Pooling"}]
    rows = [{"idx": place, "name": str(place), **row} for place, row in enumerate(modules)]
    mean = {"word_embedding_dimension": WIDTH, "pooling_mode_mean_tokens": True}
    more = {"modules.json": json.dumps(rows).encode(), "1_P/config.json": json.dumps(mean).encode()}
    request = Request.of(workspace_in(tmp_path), None, "mini")
    for name, files, said in (("as-it-is", {**modern, **more}, ["2 tensors that no file holds"]), ("ours", modern, [])):
        model, commit = f"lab/modern-{name}", push("model", f"lab/modern-{name}", files)
        consent = consent_to(model, commit, kind="hub")
        source = ModelSource(kind="hub", place=model, revision=commit, weights=commit, remote_code=consent)
        found = doubts_of_code(request, Candidate.of(model, commit, "self", model, dims=[WIDTH], model=source))
        assert [one.partition(" are not what")[0].rpartition(": ")[2] for one in found] == said
        assert all(one.startswith(f"'{model}' is broken as it loads here, and its scores with it: ") for one in found)


# ---- numbers and words ---------------------------------------------------------------------------------------------


def test_without_a_lab_no_model_is_asked_in_arabic(tmp_path: Path) -> None:
    """It is asked in the language of the tasks: of none is it known there what else it should read."""
    from zoo.evaluate.ingredients import Candidate
    from zoo.pipeline.build import BACKBONES
    from zoo.pipeline.evaluation import Request, doubts_of_code
    from zoo.recipe.outside import Outside

    consent = RemoteCode(revision="0" * 40, files={"modeling.py": "0" * 64})
    source = ModelSource(kind="hub", place="lab/x", revision="0" * 40, weights="0" * 40, remote_code=consent)
    request = Request(Outside(tmp_path), "one", ("STS17-en",), "full")
    keep_backbone(BackboneReport(model="lab/x", language="en"), source, "en", tmp_path / "runs" / BACKBONES)
    assert doubts_of_code(request, Candidate.of("lab/x", "0" * 40, "self", "lab/x", dims=[WIDTH], model=source)) == []


def test_a_report_is_kept_for_its_model_and_language(reports: dict[str, BackboneReport], tmp_path: Path) -> None:
    source = ModelSource(kind="folder", place="nowhere", weights="1")
    keep_backbone(reports["wordpiece"], source, "ar", tmp_path / "kept")
    assert kept_backbone(source, "ar", tmp_path / "kept") == reports["wordpiece"]
    other = source.model_copy(update={"pooling": "cls"})
    keep_backbone(reports["unigram"], other, "ar", tmp_path / "kept")
    assert kept_backbone(source, "ar", tmp_path / "kept") == reports["wordpiece"]


def test_a_model_that_cannot_be_loaded_is_a_finding(reports: dict[str, BackboneReport]) -> None:
    report = reports["nothing"]
    (problem,) = report.problems()
    assert problem.startswith(f"'{report.model}' has neither modules.json nor config.json: ")
    assert [row["fine"] for row in report.table()] == ["no"]


@pytest.mark.parametrize(
    ("piece", "count"),
    [
        ("##ها", 2),
        ("▁كتاب", 4),
        ("▁", 0),
        ("َِ◌ُ", 0),
        ("\\xd9", 1),
        ("ا\\xd9\\x83", 2),
        ("<0xD8>", 1),
        ("##ً", 0),
        ("a", 1),
    ],
)
def test_letters_of_a_piece_are_counted_without_what_a_family_marks_words_with(piece: str, count: int) -> None:
    assert letters_in(piece) == count


def test_fragments_count_pieces_for_each_word() -> None:
    assert cut_words(["كتاب جميل"], [["كتاب", "[UNK]", "##ل", "َ"]]) == CutWords(per_word=2.0, unknown=0.25, letters=0.5)
    assert cut_words([], []) == CutWords(per_word=None, unknown=None, letters=None)


def test_sentences_and_homographs_are_what_they_should_be() -> None:
    from zoo.arabic import normalised

    assert all(normalised(a) == normalised(b) and a != b for a, b in HOMOGRAPHS)
    assert all(len(plain) < len(marked) for plain, marked in zip(PLAIN["ar"], MARKED, strict=True))
    assert (language_of(["fr", "en"]), language_of(["en", "ar"]), language_of(["fr"])) == ("en", "ar", None)
    assert {language_of([code]) for code in ("ar", "ara", "arb", "arz")} == {"ar"}
