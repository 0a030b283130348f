"""The local Hub's git objects, rules and cards, without a server."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from zoo.hub import cards, gitobjects, gitrules
from zoo.hub.errors import RefusalError, header_text
from zoo.hub.gitobjects import TreeEntry
from zoo.hub.metadata import card_faults
from zoo.hub.paths import check_path


@pytest.fixture
def git(tmp_path: Path):
    def run(*arguments: str, given: bytes = b"", **environment: str) -> str:
        command = ["git", "-C", str(tmp_path), *arguments]
        return (
            subprocess.run(command, input=given, capture_output=True, check=True, env=environment)
            .stdout.decode()
            .strip()
        )

    run("init", "-q")
    return run


def test_blob_ids_are_those_of_git(git) -> None:
    for content in (b"", b"hello\n", "مرحبا بالعالم".encode(), bytes(range(256))):
        assert gitobjects.blob_id(content) == git("hash-object", "-w", "--stdin", given=content)


def test_tree_ids_are_those_of_git_also_where_its_order_is_odd(git) -> None:
    blob = git("hash-object", "-w", "--stdin", given=b"x")
    folder = git("mktree", given=f"100644 blob {blob}\tinner\n".encode())
    lines = [("blob", "a"), ("tree", "a-b"), ("blob", "a.txt"), ("blob", "ab"), ("blob", "مرحبا")]
    entries = [TreeEntry(name, folder if kind == "tree" else blob, kind == "tree") for kind, name in lines]
    text = "".join(
        f"{'040000 tree' if entry.is_folder else '100644 blob'} {entry.oid}\t{entry.name}\n" for entry in entries
    )
    body = gitobjects.encode_tree(reversed(entries))
    assert gitobjects.object_id("tree", body) == git("mktree", given=text.encode())
    assert {entry.name for entry in gitobjects.decode_tree(body)} == {name for _, name in lines}
    assert gitobjects.object_id("tree", b"") == gitobjects.EMPTY_TREE


def test_commit_ids_are_those_of_git(git) -> None:
    tree = git("mktree", given=b"")
    date = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in _identity(date).items()}
    first = git("commit-tree", tree, "-m", "first", **who)
    second = git("commit-tree", tree, "-p", first, "-m", "title\n\nbody", **who)
    assert _commit_id(tree, [], date, "first") == first
    assert _commit_id(tree, [first], date, "title\n\nbody") == second


def _identity(date: datetime) -> dict[str, str]:
    return {"NAME": "lab", "EMAIL": "lab@users.noreply.localhost", "DATE": f"{int(date.timestamp())} +0000"}


def _commit_id(tree: str, parents: list[str], date: datetime, message: str) -> str:
    return gitobjects.object_id("commit", gitobjects.encode_commit(tree, parents, "lab", date, message))


def test_a_pointer_reads_back_and_other_text_is_none() -> None:
    assert gitobjects.decode_pointer(gitobjects.encode_pointer("ab" * 32, 7)) == ("ab" * 32, 7)
    assert gitobjects.decode_pointer(b"version https://git-lfs.github.com/spec/v1\n") is None


@pytest.mark.parametrize(
    ("path", "pattern", "covered"),
    [
        ("a/model.safetensors", "*.safetensors", True),
        ("model.safetensors.json", "*.safetensors", False),
        ("saved_model/x/y", "saved_model/**/*", True),
        ("saved_model/y", "saved_model/**/*", True),
        ("other/saved_model/y", "saved_model/**/*", False),
        ("logs/tfevents.1", "*tfevents*", True),
        ("a1", "a[0-9]", True),
        ("ax", "a[!0-9]", True),
        ("a", "[z-a]", False),
        ("a/b", "/a/*", True),
    ],
)
def test_patterns_match_as_in_gitattributes(path: str, pattern: str, covered: bool) -> None:
    rules = f"# a comment\n{pattern} filter=lfs -text\n"
    assert gitrules.goes_to_lfs(path, size=1, sample=b"x", attributes=rules) is covered


def test_large_and_binary_files_go_to_lfs_and_empty_ones_never() -> None:
    assert gitrules.goes_to_lfs("a.txt", size=gitrules.REGULAR_LIMIT + 1, sample=b"x", attributes="")
    assert gitrules.goes_to_lfs("a.txt", size=2, sample=b"\0", attributes="")
    assert not gitrules.goes_to_lfs("a.bin", size=0, sample=b"", attributes="*.bin filter=lfs")


def test_the_last_matching_line_of_gitignore_wins() -> None:
    ignore = "*.log\nbuild/\n!keep.log\n"
    assert gitrules.is_ignored("a/x.log", ignore)
    assert gitrules.is_ignored("build/deep/file", ignore)
    assert not gitrules.is_ignored("keep.log", ignore)


@pytest.mark.parametrize(
    "path",
    ["../a", "/a", "a//b", "a/", "a/../b", ".git/config", "a/.GIT/x", "a\0b", "a\nb", "..\\a", "", ".", "a" * 2000],
)
def test_unsafe_paths_are_refused(path: str) -> None:
    with pytest.raises(RefusalError, match="Invalid path") as error:
        check_path(path)
    assert error.value.status == 422


def test_safe_paths_may_be_arabic_and_have_dots() -> None:
    for path in ("بيانات/تدريب.parquet", ".gitattributes", "a..b/c", "1_Pooling/config.json"):
        assert check_path(path) == path


def test_error_headers_carry_only_what_headers_can() -> None:
    assert header_text("two\r\nlines: مر é") == "two lines: %D9%85%D8%B1 é"


def test_a_card_gives_tags_and_survives_strange_yaml() -> None:
    card = "---\nlanguage: [ar, en]\nlicense: mit\ntags: [x, x]\ndate: 2026-01-01\nbad: .nan\n---\n# Hi\n"
    data = cards.metadata(card)
    assert cards.tags(data) == ["x", "ar", "en", "license:mit", "region:us"]
    assert (data["date"], data["bad"]) == ("2026-01-01", "nan")
    assert cards.metadata("no front matter") == {}
    assert cards.metadata("---\n[unclosed\n---\n") == {}


BILLION_LAUGHS = "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))])


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("license: nonsense", '"license" must be one of [apache-2.0'),
        ("- a list", '"value" must be of type object'),
        ("model-index:\n- results: []", '"model-index[0].name" is required'),
        (BILLION_LAUGHS, "Invalid YAML in README.md: its aliases repeat each other"),
        ("a: x" + "x" * (1 << 20), "Invalid YAML in README.md: more than 1,048,576 characters"),
        ("a: " + "[" * 5000, "Invalid YAML in README.md: nested more than 50 deep"),
    ],
)
def test_mistakes_in_a_card_are_named(yaml: str, message: str) -> None:
    [first, *_] = card_faults(f"---\n{yaml}\n---\n", "model")
    assert (first.severity, message in first.message) == ("error", True)


def test_hostile_globs_take_no_time() -> None:
    """Ten times as many stars as any pattern has: no time that grows by powers."""
    assert not gitrules.is_ignored("a/" * 60 + "b", "**/" * 30 + "zz")
    assert not gitrules.is_ignored("a" * 250, "*a" * 60 + "b")


@pytest.mark.parametrize(
    ("path", "pattern", "ignored"),
    [
        ("x/a/b", "**/a/b", True),
        ("foo", "**/foo", True),
        ("a/b", "a/**", True),
        ("a", "a/**", False),
        ("a/x/y/b", "a/**/b", True),
        ("d/x.log", "*.log", True),
        ("d/x.log", "/*.log", False),
        ("b", "[^a]", True),
        ("a", "[^a]", False),
        ("b", "[z-a]", False),
    ],
)
def test_globs_are_gits(path: str, pattern: str, ignored: bool) -> None:
    assert gitrules.is_ignored(path, pattern) is ignored
