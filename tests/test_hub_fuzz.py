"""The first requests of `make fuzz`, always the same ones, and what it found once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_fuzz import Fuzz
from hub_wire import Wire, file, upload_lfs

from zoo.hub import cards
from zoo.hub.calls import MAX_DEPTH
from zoo.hub.local import local_hub


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with local_hub(tmp_path_factory.mktemp("hub")) as hub:
        wire = Wire(hub)
        assert wire("POST", "/api/repos/create", {"name": "s", "type": "space", "sdk": "gradio"}).status == 200
        assert wire("POST", "/api/repos/create", {"name": "m"}).status == 200
        yield wire


def test_no_request_brings_the_hub_into_trouble_and_every_refusal_says_why(tmp_path: Path) -> None:
    with local_hub(tmp_path) as hub:
        fuzz = Fuzz(hub)
        fuzz.run(0, batches=2)
        assert fuzz.finish() == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"url": NaN}', "NaN is not a finite number"),
        (b'{"url": -Infinity}', "-Infinity is not a finite number"),
        (b'{"url": 1e999}', "1e999 is not a finite number"),
        (b'{"url": "\xed\xa0\x80"}', "can't decode byte 0xed"),
        ('{"url": "\\ud800"}'.encode("utf-16"), "can't decode byte 0xff"),
        (b'{"url": ' + b"[" * 984 + b"]" * 984 + b"}", f"nested more than {MAX_DEPTH} times"),
        (b'{"url": ' + b"9" * 5000 + b"}", "Exceeds the limit"),
    ],
    ids=["NaN", "infinity", "overflow", "half a surrogate pair", "UTF-16", "deep", "digits"],
)
def test_json_that_could_not_be_written_again_is_400(wire: Wire, body: bytes, message: str) -> None:
    answer = wire("POST", "/api/settings/webhooks", body)
    assert (answer.status, message in answer.json()["error"]) == (400, True), answer.body
    assert wire("GET", "/api/settings/webhooks").json() == []


@pytest.mark.parametrize("name", ["/etc/hostname", "../../hub.db", "\0", "a" * 5000, ""])
def test_what_is_no_sha256_is_not_looked_for_on_disk(wire: Wire, name: str) -> None:
    answer = wire("POST", "/api/models/lab/m/lfs-files/duplicate", {"files": [{"sha256": name}]})
    assert (answer.status, answer.headers["X-Error-Message"]) == (422, "a sha256 has 64 hex digits")


@pytest.mark.parametrize(
    "value",
    ["!!timestamp x", "!!bool x", '!!int ""', "2020-99-99", "0x" + "f" * 5000, "[" * 60 + "]" * 60, "[" * 3000],
    ids=lambda value: value[:14],
)
def test_yaml_that_is_no_value_is_a_value_error(value: str) -> None:
    with pytest.raises(ValueError):
        cards.parse_yaml(f"key: {value}")


def test_a_card_that_names_several_app_files_is_refused_and_its_space_has_a_runtime(wire: Wire) -> None:
    content = b'{"key": "header", "value": {"summary": "x"}}\n'
    for line in (file("README.md", b"---\napp_file: [a, {b: c}]\n---\n"), file("app.py")):
        content += json.dumps(line).encode() + b"\n"
    answer = wire("POST", "/api/spaces/lab/s/commit/main", content)
    assert (answer.status, '"app_file" must be a string' in answer.json()["error"]) == (400, True)
    assert wire("GET", "/api/spaces/lab/s/runtime").status == 200


@pytest.mark.parametrize("asked", ["bytes=9-1", "lines=1", "bytes=999-"])
def test_a_range_that_is_none_is_refused_with_a_reason_on_signed_links_too(wire: Wire, asked: str) -> None:
    oid = upload_lfs(wire, b"weights")
    wire.commit("lab/m", {"key": "lfsFile", "value": {"path": "w.bin", "algo": "sha256", "oid": oid}})
    wanted = {"operation": "download", "objects": [{"oid": oid, "size": 7}]}
    (found,) = wire("POST", "/lab/m.git/info/lfs/objects/batch", wanted).json()["objects"]
    link = found["actions"]["download"]["href"].removeprefix(wire.hub.url)
    answer = wire("GET", link, token=None, Range=asked)
    assert (answer.status in (400, 416), bool(answer.headers["X-Error-Message"])) == (True, True)
    assert answer.headers["X-Request-Id"]
    assert wire("GET", link, token=None, Range="bytes=0-1,3-4").body == b"weights", "several ranges: the whole"


def test_an_error_about_a_long_name_has_a_header_that_clients_can_read(wire: Wire) -> None:
    answer = wire("GET", "/api/models/lab/m/tree/" + "%D8%A7" * 10_000)
    assert answer.status == 404
    assert len(answer.headers["X-Error-Message"]) < 20_000 < len(answer.body)


def test_an_invalid_card_is_refused_with_a_reason(wire: Wire) -> None:
    answer = wire("POST", "/api/validate-yaml", {"content": "---\nlicense: x\n---\n"})
    assert (answer.status, answer.headers["X-Error-Message"][:24]) == (400, '"license" must be one of')
