"""Whatever a recipe says ends as text in what is made from it, or is refused where it stands."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
from hostile import FILES, HIDDEN, LONG, PLACES, TEXTS, WORDS, Place, places
from hostile_cards import GFM, HALF, TASK, cards, parts, resolved, swapped, written

from zoo.cards.readme import render
from zoo.characters import HIDDEN as REFUSED
from zoo.characters import UNSEEN, brief
from zoo.errors import RecipeError, ZooError
from zoo.evidence.scores import Mean
from zoo.markdown import address, on_hub, string
from zoo.recipe import Recipe, Workspace, dump, load_resolved, override
from zoo.recipe.yamlfile import parse, read_yaml

ALONE = (
    "keep one, or write each as an entry of sources",
    "write one source, or several as a list in sources",
    "write dataset: an id on the Hub, path: files, or from: another dataset",
    "shares of a whole sum to 1, as in {train: 0.7, test: 0.3}",
    "no step makes columns of them",
    "belongs to repositories",
    "belongs to files",
)


def stands_alone(said: str) -> bool:
    """Whether this is said of keys that do not fit what is beside them, whatever they hold."""
    return any(one in said for one in ALONE)


def refused(path: Path, kind: type[Any]) -> str:
    """The message: it names the file and a line of it, and nothing in it acts on a terminal."""
    with pytest.raises(RecipeError) as caught:
        parse(kind, read_yaml(path))
    return told(caught.value.message, path)


def attempt(work: Callable[..., Any], *given: Any) -> Any:
    try:
        return work(*given)
    except ZooError as refusal:
        return refusal


def told(message: str, path: Path) -> str:
    assert path.name in message
    assert re.search(r"\bline \d+", message)
    assert not UNSEEN.search(message)
    assert len(message) < 2000
    return message


# ---- every place of every file -------------------------------------------------------------------------------------

every_place = pytest.mark.parametrize(("file", "place"), PLACES, ids=[f"{file}:{place.path}" for file, place in PLACES])


def a_third(texts: dict[str, str], place: Place) -> list[str]:
    """Where what refuses them is the same at many places: all of them at every third one, to save ten seconds."""
    return list(texts.values())[len(place.path) % 3 :: 3]


@every_place
def test_a_text_is_taken_as_it_is_or_refused_by_name(file: str, place: Place, tmp_path: Path) -> None:
    kind = FILES[file][0]
    for text in TEXTS.values() if not place.closed else a_third(TEXTS, place):
        data = place.put(text)
        source = read_yaml(written(tmp_path / file, data))
        assert source.data == data
        answer = attempt(parse, kind, source)
        if isinstance(answer, ZooError):
            said = told(answer.message, source.path)
            assert brief(text)[:40] in said or not place.closed or stands_alone(said)
        else:
            assert answer == kind.model_validate(data)


@every_place
def test_a_character_that_nobody_sees_is_refused_everywhere(file: str, place: Place, tmp_path: Path) -> None:
    for text in a_third(HIDDEN, place):
        path = written(tmp_path / file, place.put(text))
        message = refused(path, FILES[file][0])
        line = int(re.findall(r"line (\d+)", message)[0])
        assert "\\" in path.read_text("utf-8").splitlines()[line - 1], "it stands there as an escape"
        found = REFUSED.search(text.replace(HALF, "\ud800"))
        assert f"U+{ord(found[0]):04X}" in message or "invalid Unicode character escape" in message  # of the C parser


@pytest.mark.parametrize("text", [text for name, text in HIDDEN.items() if name != "half of a pair"])
@pytest.mark.parametrize("line", ['name: "{}"', "name: harmless  # {}", "na{}me: harmless"])
def test_it_is_refused_as_itself_too_even_in_a_comment(text: str, line: str, tmp_path: Path) -> None:
    path = tmp_path / "family.yaml"
    path.write_text(f"# first\n{line.format(text)}\n", "utf-8", newline="")
    if "\r" in text:
        text = path.read_text("utf-8")  # a line break to every program: the rest is a line of its own
    found = REFUSED.search(text)
    message = refused(path, FILES["base.yaml"][0])  # which has no name: something is wrong in any case
    if found:
        assert message.startswith(f"{path}, line 2: ")
        assert f"holds U+{ord(found[0]):04X} (" in message


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('name: !!python/object/apply:os.system ["touch pwned"]', "could not determine a constructor"),
        ("name: *gone", "found undefined alias"),
        ("name: : [unclosed", "mapping values are not allowed"),
        ("name: a\nname: b", "'name' stands twice"),
        ("name: &a [*a]", "its aliases repeat each other"),
        (
            "a: &a [x,x,x,x,x,x,x,x]\n"
            + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 8)}]\n" for a, b in zip("abcdef", "bcdefg", strict=True)),
            "its aliases repeat each other",
        ),
        ("name: " + "[" * 3000 + "]" * 3000, "nested more than 50 deep"),
        ("? [a]\n: b", "found unhashable key"),
        ("name: 2024-01-01", "name: '2024-01-01' is a date for YAML; write \"2024-01-01\""),
        ("name: {a: b}", "name: '{'a': 'b'}': input should be a valid string"),
        ("name: !%1b%0a x", "could not determine a constructor"),
    ],
)
def test_what_an_author_does_not_quote_builds_nothing(line: str, says: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "family.yaml"
    path.write_text(f"{line}\n", "utf-8")
    with pytest.raises(RecipeError) as caught:
        parse(FILES["family.yaml"][0], read_yaml(path))
    assert says in caught.value.message
    assert re.match(r"(\d mistakes in )?family\.yaml", caught.value.message)
    assert not UNSEEN.search(caught.value.message)
    assert not (tmp_path / "pwned").exists()


def test_the_rule_holds_for_every_character_of_unicode() -> None:
    """Refused: what Unicode calls a control, a format, a separator of lines or a surrogate, but for what people see."""
    seen = set("\t\n") | set(map(chr, [*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD]))
    seen |= set(map(chr, range(0x13430, 0x13440)))  # joiners of hieroglyphs
    marks = set("\u061c\u200c\u200d\u200e\u200f")
    for number in range(0x110000):
        letter = chr(number)
        unseen = unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp", "Cs") and letter not in seen
        assert not unseen or letter in marks or REFUSED.fullmatch(letter), f"U+{number:04X}"
        assert not unseen or UNSEEN.fullmatch(letter), f"U+{number:04X}"
        assert not (REFUSED.fullmatch(letter) and letter in seen | marks)


@pytest.mark.parametrize("name", ["x\u202ey", "a b", "Évil", "a\n", "-", "{{ 7 }}"])
@pytest.mark.parametrize("folder", [".", "datasets"])
def test_a_file_of_another_name_is_no_recipe(name: str, folder: str, tmp_path: Path) -> None:
    written(tmp_path / "recipes" / "family.yaml", FILES["family.yaml"][1])
    written(tmp_path / "recipes" / folder / f"{name}.yaml", FILES["base.yaml"][1])
    with pytest.raises(RecipeError, match=re.escape(f"'{brief(name + '.yaml')}' in ")) as caught:
        _ = (Workspace(tmp_path).bases, Workspace(tmp_path).datasets)
    assert not UNSEEN.search(caught.value.message)


@pytest.mark.parametrize("value", ['"a\\u202eb"', '{"\\e": 1}', '[["\\0"]]', "[unclosed"])
def test_what_the_command_line_lays_over_a_recipe_is_held_to_the_same(value: str) -> None:
    recipe = Recipe.model_validate(FILES["recipe.yaml"][1])
    with pytest.raises(RecipeError, match=r"^--set: .*(nobody sees|is not YAML)") as caught:
        override(recipe, [f"release.summary={value}"])
    assert not UNSEEN.search(caught.value.message)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "//x.org", "http://", "https://x.org/a b"]
)
def test_a_paper_has_an_address_on_the_web(url: str, tmp_path: Path) -> None:
    _, paper = next((file, place) for file, place in PLACES if place.path == "paper.url")
    message = refused(written(tmp_path / "family.yaml", paper.put(url)), FILES["family.yaml"][0])
    assert f"paper.url: '{url}'" in message


# ---- what is made from them ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """{file: data} with the harmless words at every place that takes them, also where our own files have nothing."""
    folder = tmp_path_factory.mktemp("harmless")
    found = {file: data for file, (_, data) in FILES.items()}
    for file, place in PLACES:
        if not place.closed:
            tried = {**found, file: places(FILES[file][0], found[file])[place.path].put(WORDS)}
            answer = attempt(resolved, tried, folder)
            if isinstance(answer, ZooError):
                what = "a place that leads somewhere: it says where this does not"
                assert f"'{WORDS}'" in answer.message or stands_alone(answer.message), what
            else:
                found = tried
    assert json.dumps(found).count(WORDS) > 30
    return found


@pytest.fixture(scope="module")
def model(harmless: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, SimpleNamespace]:
    """The cards of harmless words, taken apart: what all others are compared with."""
    made = cards(*resolved(harmless, tmp_path_factory.mktemp("model")), WORDS)
    return {kind: parts(card) for kind, card in made.items()}


@pytest.fixture(scope="module")
def short_model(harmless: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, SimpleNamespace]:
    """The same without what a text is refused for when it is long."""
    files = deepcopy(harmless)
    for place in ("space", "leaderboard"):
        del files["family.yaml"][place]["summary"]
    del files["family.yaml"]["collection"]
    made = cards(*resolved(files, tmp_path_factory.mktemp("short")), WORDS)
    return {kind: parts(card) for kind, card in made.items()}


@pytest.fixture(scope="module", params=[*TEXTS.values(), LONG], ids=[*TEXTS, "30 kB"])
def hostile(
    request: pytest.FixtureRequest,
    harmless: dict[str, Any],
    model: dict[str, SimpleNamespace],
    short_model: dict[str, SimpleNamespace],
    tmp_path_factory: pytest.TempPathFactory,
) -> SimpleNamespace:
    """The text at every place at once, and what to compare it with."""
    files = swapped(harmless, request.param)
    is_long = len(request.param) > 59
    if is_long:
        del files["family.yaml"]["collection"]  # refused by its length, see above
        for place in ("space", "leaderboard"):
            del files["family.yaml"][place]["summary"]
    workspace, recipe = resolved(files, tmp_path_factory.mktemp("hostile"))
    made = cards(workspace, recipe, request.param)
    found, beside = {kind: parts(card) for kind, card in made.items()}, short_model if is_long else model
    return SimpleNamespace(text=request.param, recipe=recipe, cards=made, parts=found, model=beside)


def test_front_matter_has_the_same_keys_and_the_text_as_it_was_given(hostile: Any) -> None:
    for kind, found in hostile.parts.items():
        assert found.front == swapped(hostile.model[kind].front, hostile.text), kind


def test_the_body_is_built_as_with_harmless_words(hostile: Any) -> None:
    for kind, found in hostile.parts.items():
        assert found.shape == hostile.model[kind].shape, kind
        assert found.links == hostile.model[kind].links, kind
        assert found.html == hostile.model[kind].html, kind


def test_readers_see_the_text_wherever_they_would_see_harmless_words(hostile: Any) -> None:
    """Word for word: no markup, entity or expression of it was taken for one."""
    for kind, found in hostile.parts.items():
        expected = [words.replace(WORDS, hostile.text) for words in hostile.model[kind].words]
        assert ["".join(words.split()) for words in found.words] == ["".join(words.split()) for words in expected], kind


def test_code_is_the_same_and_a_citation_cannot_leave_its_fence(hostile: Any) -> None:
    for kind, found in hostile.parts.items():
        for (language, marks, code), (ours, _, harmless) in zip(found.code, hostile.model[kind].code, strict=True):
            assert language == ours
            expected = harmless.replace(string(WORDS), string(hostile.text))  # a sentence of a snippet
            expected = expected.replace(repr(WORDS), repr(hostile.text))  # a column, as Python prints it
            assert code == (f"{hostile.text.strip()}\n" if harmless == f"{WORDS}\n" else expected)
            assert len(marks) > max(map(len, re.findall("`+", code)), default=0)
    assert 'SentenceTransformer("lab/my_One")' in hostile.cards["model"]


def test_the_recipe_that_is_published_is_the_recipe(hostile: Any, tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(dump(hostile.recipe), "utf-8")
    assert load_resolved(path) == hostile.recipe


@pytest.mark.parametrize("text", [text for name, text in HIDDEN.items() if name not in ("half of a pair", "NUL")])
def test_what_others_wrote_reaches_no_card_unseen(text: str, model: Any, harmless: Any, tmp_path: Path) -> None:
    """Scores, reports and printed tables are no recipes: nothing refuses what they hold."""
    made = cards(*resolved(harmless, tmp_path), text)
    for kind, card in made.items():
        assert not REFUSED.search(card)
        assert parts(card).shape == model[kind].shape


OVERRIDES = {
    "plain": "A {{ text }} b\n",
    "joined": "{{ [text, text] | join(' and ') }}\n",
    "joined with ours": "{{ [score | score, text] | join(', ') }}\n",
    "concatenated": "{{ 'See ' ~ text }}\n",
    "concatenated with ours": "{{ (score | score) ~ ' of ' ~ text }}\n",
    "from a macro": "{% macro cited(x) %}({{ x }}){% endmacro %}{{ cited(text) ~ text }}\n",
    "called": "{% macro box() %}> {{ caller() }}{% endmacro %}{% call box() %}x{{ text }}{% endcall %}\n",
    "captured": "{% set found %}x {{ text }}{% endset %}y {{ found }} {{ found ~ text }}\n",
    "formatted": "{{ 'of %s' | format(text) }}\n",
    "in a cell": "| a | b |\n|---|---|\n| x{{ text }} | {{ text | code }} |\n",
    "as code": "{{ text | code }}\n",
    "in a fence": "{{ text | fence('text') }}\n",
    "in a snippet": "```python\nload({{ text | string }})\n```\n",
    "in a link": "x {{ 'lab/x' | on_hub('datasets') }} {{ text }}\n",
    "in a heading": "# {{ text }} x\n",
    "in a list": "- {{ text }}\n",
    "after a line": "one\n{{ text }}\n",
}


@pytest.mark.parametrize("template", OVERRIDES.values(), ids=OVERRIDES)
def test_whoever_writes_a_template_gets_text_by_default(template: str, tmp_path: Path) -> None:
    """Also where Jinja by itself would escape for HTML, or not at all."""
    (tmp_path / "mine.md.j2").write_text(template, "utf-8")
    number = Mean(model="m", dim=None, tasks=[TASK], value=5, low=4, high=6)
    expected = parts("---\na: b\n---\n\n" + render("mine.md.j2", [tmp_path], text=WORDS, score=number))
    for text in [*TEXTS.values(), *HIDDEN.values()]:
        shown = render("mine.md.j2", [tmp_path], text=text, score=number)
        found = parts(f"---\na: b\n---\n\n{shown}")
        assert (found.shape, found.links, found.html) == (expected.shape, expected.links, expected.html), text
        assert not REFUSED.search(shown)


def test_a_link_leads_to_the_hub_whatever_the_id() -> None:
    for text in [*TEXTS.values(), *HIDDEN.values()]:
        [paragraph] = [token for token in GFM.parse(f"x {on_hub(text)}") if token.type == "inline"]
        assert [one.type for one in paragraph.children if one.type.startswith("link")] == ["link_open", "link_close"]
        [link] = [one for one in paragraph.children if one.type == "link_open"]
        assert link.attrs["href"].startswith("https://huggingface.co/")


@pytest.mark.parametrize(
    "url",
    ["https://x.org/_a_/b_c?d=_e_&f=1", "http://x.org/~home~/%5B", "https://x.org/a__b__#_c", "https://x.org?a&lt=1"],
)
def test_an_address_is_shown_as_text_and_leads_to_the_same_page(url: str) -> None:
    [paragraph] = [token for token in GFM.parse(f"see {address(url)}, and") if token.type == "inline"]
    assert [one.type for one in paragraph.children] == ["text"]
    assert unquote(address(url)) == unquote(url)


def test_numbers_stay_beside_the_arabic_that_they_belong_to(harmless: Any, tmp_path: Path) -> None:
    """Without an isolate readers would see 1 before the first name, and the interval's ends in the other order."""
    made = cards(*resolved(swapped(harmless, "تضمين"), tmp_path), "نموذج")
    assert ": 0 = <bdi>تضمين</bdi>, 1 = other |" in made["dataset"]
    assert "| <bdi>نموذج</bdi>: 50.00\u00a0[40.0,\u00a060.0] |" in made["model"]
    assert "- behind <bdi>نموذج</bdi>: STS17 -1.00\u00a0[-2.00,\u00a0-0.50]" in made["model"]
