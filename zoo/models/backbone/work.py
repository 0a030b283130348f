"""`python -P -m zoo.models.backbone.work TASK first|second`: loads models and measures what `probe` beside it says.

TASK is a JSON file: {"workspace": whose plugins are used, or null, "models": [[source, language]]}. What is found of
each is left in the folder of its time beside TASK, as soon as it is known. The second compares with the first.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.environment import prepare
from zoo.isolation import consented_folder, end_with_starter

if __name__ == "__main__":
    end_with_starter()
prepare()

import numpy as np  # noqa: E402 - the environment comes first
import torch  # noqa: E402
from huggingface_hub.errors import EntryNotFoundError  # noqa: E402
from safetensors import safe_open  # noqa: E402
from sentence_transformers import SentenceTransformer  # noqa: E402
from transformers import PreTrainedModel, PreTrainedTokenizerBase  # noqa: E402
from transformers.initialization import no_init_weights  # noqa: E402

from zoo import patience  # noqa: E402
from zoo.arabic import DIACRITICS, normalised  # noqa: E402
from zoo.characters import brief  # noqa: E402
from zoo.errors import ZooError  # noqa: E402
from zoo.models.backbone.report import LONGEST_TRIED, MARKED, PLAIN, Language  # noqa: E402
from zoo.models.foreign.asked import mapping, modules_of, reader  # noqa: E402
from zoo.models.fragmentation import cut_words, fragmentation  # noqa: E402
from zoo.models.identity import ModelSource  # noqa: E402
from zoo.models.load import load_model  # noqa: E402
from zoo.models.pieces import pieces  # noqa: E402
from zoo.models.threads import one_thread  # noqa: E402
from zoo.plugins.loading import use  # noqa: E402
from zoo.remote import api  # noqa: E402

Found = dict[str, Any]
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
MORE_WORDS = 16  # than the longest text has tokens
MOST_NAMED = 50  # tensors


def examine_models(task: Path, time: str) -> None:
    """Measure every model of a task."""
    patience.install()
    asked = json.loads(task.read_text("utf-8"))
    use(Path(asked["workspace"]) if asked["workspace"] else None)
    folder = task.parent / time
    with one_thread(), torch.inference_mode():
        for number, (source, language) in enumerate(asked["models"]):
            before = task.parent / "first" / f"{number}.npy"
            place = folder / f"{number}.npy"
            found = examined(ModelSource.model_validate(source), language, place, before if time == "second" else None)
            (folder / f"{number}.json").write_text(json.dumps(found, ensure_ascii=False), "utf-8")


def examined(source: ModelSource, language: Language | None, place: Path, before: Path | None) -> Found:
    """Measure a model; that it cannot be loaded or run is a finding too.

    Args:
        place: where the embeddings of the first time are left.
        before: those of the first time, to be compared; None: this is the first time.
    """
    found: Found = {}
    try:
        model = load_model(source.model_copy(update={"dtype": "float32"}), "cpu").eval()
        if before is None:
            found |= beside_files(model, source)
            found |= of_words(model, language)
            found |= of_outputs(model, language, place)
            found |= beyond(model, language) if found["finite"] else {}
        else:
            found |= again(model, language, before)
    except ZooError as problem:
        found |= {"failed": _of_model(problem.message, source), "hint": _of_model(problem.hint or "", source) or None}
    except Exception as error:  # noqa: BLE001 - models whose parts do not fit raise anything
        found |= {"failed": f"it cannot compute an embedding ({_short(error)})"}
    return found


def _of_model(told: str, source: ModelSource) -> str:
    """The words about the copy that was compared with consent, as words about the model itself."""
    copy = consented_folder()
    told = told.replace(str(copy), source.place) if copy else told
    itself = f"model '{source.place}' "
    return f"it {told.removeprefix(itself)}" if told.startswith(itself) else told


def _short(error: Exception) -> str:
    first = (str(error).strip().splitlines() or [""])[0]
    return brief(f"{type(error).__name__}: {first}", 200)


# Files: weights as they are stored, buffers as code computes them


def beside_files(model: SentenceTransformer, source: ModelSource) -> Found:
    """Compare a loaded model with its files, and with what its code computes: before it has computed anything."""
    inner = model.transformers_model
    if not isinstance(inner, PreTrainedModel):
        return {}
    held, stored = inner.state_dict(), dict(_stored(source))
    prefix = _prefix(held, stored)
    return {
        "rows": _rows(inner),
        "vocabulary": _vocabulary(model),
        "buffers": _other_buffers(inner, held)[:MOST_NAMED],
        "unlike": [name for name in held if _is_other(held[name], prefix + name, stored)][:MOST_NAMED],
        "made_up": len(_made_up(held, prefix, stored)),
    }


def _vocabulary(model: SentenceTransformer) -> int | None:
    """The pieces of a tokenizer, without tokens that were added: some of those are never used and have no vector."""
    tokenizer = model.tokenizer
    return int(tokenizer.vocab_size) if isinstance(tokenizer, PreTrainedTokenizerBase) else None


def _rows(inner: PreTrainedModel) -> int | None:
    try:
        table = inner.get_input_embeddings()
    except NotImplementedError:  # code of others need not say where it is
        return None
    weight = getattr(table, "weight", None)
    return int(weight.shape[0]) if isinstance(weight, torch.Tensor) else None


def _stored(source: ModelSource) -> Iterator[tuple[str, Path]]:
    """Yield (name of a tensor, its file) of the transformer's weights."""
    consented = consented_folder()
    place, revision = (str(consented), None) if consented else (source.place, source.revision)
    read = reader(place, revision)
    folder = next(iter(modules_of(read)), "") if source.pooling is None else ""
    at = f"{folder}/" if folder else ""
    shards = mapping(read, f"{at}{INDEX}").get("weight_map")
    names = {str(name) for name in shards.values()} if isinstance(shards, dict) else {WEIGHTS}
    for path in (_fetched(place, revision, f"{at}{name}") for name in sorted(names)):
        if path is not None:
            with safe_open(path, "pt") as file:
                yield from ((key, path) for key in file.keys())  # noqa: SIM118 - it is no mapping


def _fetched(place: str, revision: str | None, name: str) -> Path | None:
    if Path(place).is_dir():
        return path if (path := Path(place, name)).is_file() else None
    try:
        return Path(api().hf_hub_download(place, name, revision=revision))
    except EntryNotFoundError:
        return None


def _prefix(held: Mapping[str, Any], stored: Mapping[str, Any]) -> str:
    """The beginning of names in a model's file that its own names lack: 'bert.', where the file has a head as well."""
    ways = Counter(key.removesuffix(name) for name in held for key in stored if key.endswith(name))
    fitting = [(sum(way + name in stored for name in held), way) for way, _ in ways.most_common(5)]
    return max(fitting, default=(0, ""), key=lambda one: one[0])[1]


def _is_other(value: torch.Tensor, key: str, stored: Mapping[str, Path]) -> bool:
    if key not in stored:
        return False
    with safe_open(stored[key], "pt") as file:
        kept = file.get_tensor(key)
    return not _same(value, kept)


def _same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other.to(one), rtol=1e-5, atol=0, equal_nan=True)


def _made_up(held: Mapping[str, torch.Tensor], prefix: str, stored: Mapping[str, Path]) -> list[str]:
    """The names of weights that have no numbers in the file, nor share those of another weight."""
    there = {held[name].data_ptr() for name in held if prefix + name in stored}
    return [name for name in held if stored and held[name].data_ptr() not in there and "pooler" not in name]


def _other_buffers(inner: PreTrainedModel, held: Mapping[str, Any]) -> list[str]:
    """The names of tensors that are no weights and in no file, with other numbers than a model made anew has."""
    kept = {name: value for name, value in inner.named_buffers() if name not in held}
    if not kept:
        return []
    with no_init_weights():
        anew = dict(type(inner)(inner.config).named_buffers())
    return [name for name, value in kept.items() if name in anew and not _same(value, anew[name])]


# Words


def of_words(model: SentenceTransformer, language: Language | None) -> Found:
    """Count the pieces of sentences, and look whether the sentences come back from them."""
    if language is None:
        return {}
    found: Found = {}
    plain = PLAIN[language]
    if language == "ar":
        found |= whole.model_dump() if (whole := fragmentation(model, plain, MARKED)) else {}
    elif (cut := pieces(model, plain)) is not None:
        found["plain"] = cut_words(plain, cut).model_dump()
    if isinstance(model.tokenizer, PreTrainedTokenizerBase):
        found["comes_back"] = _coming_back(model, plain, _letters)
        if language == "ar":
            found["comes_back_marked"] = _coming_back(model, MARKED, _marks)
    return found


def _coming_back(model: SentenceTransformer, texts: Sequence[str], seen: Callable[[str], list[str]]) -> float:
    """The share of texts of which the same is `seen` after they were made tokens, and text again."""
    ids = [model.preprocess([text])["input_ids"][0] for text in texts]
    back = [str(model.tokenizer.decode(row, skip_special_tokens=True)) for row in ids]
    return sum(seen(text) == seen(one) for text, one in zip(texts, back, strict=True)) / len(texts)


def _letters(text: str) -> list[str]:
    return sorted(normalised(text).replace(" ", ""))


def _marks(text: str) -> list[str]:
    return sorted(re.findall(DIACRITICS[0], text))


# Numbers


def _sentences(language: Language | None) -> list[str]:
    return [*PLAIN[language or "en"], *(MARKED if language == "ar" else ())]


def _encoded(model: SentenceTransformer, texts: Sequence[str], batch: int) -> torch.Tensor:
    found = model.encode(list(texts), batch_size=batch, show_progress_bar=False, convert_to_tensor=True)
    return found.double()  # type: ignore[no-any-return]


def _apart(one: torch.Tensor, other: torch.Tensor) -> float | None:
    """The largest distance between rows in lengths of a row; None where there are no numbers."""
    found = ((one - other).norm(dim=-1).max() / one.norm(dim=-1).mean().clamp(min=1e-12)).item()
    return found if math.isfinite(found) else None


def of_outputs(model: SentenceTransformer, language: Language | None, place: Path) -> Found:
    """Compare embeddings of the same sentences: alone, in a batch, beside a long text, in reverse. They are kept."""
    texts = _sentences(language)
    alone, together = _encoded(model, texts, 1), _encoded(model, texts, len(texts))
    padded = _encoded(model, [texts[0], " ".join(texts * 2)], 2)[:1]
    turned = _encoded(model, [" ".join(reversed(texts[0].split()))], 1)
    attends = isinstance(model.transformers_model, PreTrainedModel)  # a mean of words has no order, on purpose
    np.save(place, together.numpy())
    return {
        "finite": bool(torch.isfinite(torch.cat([alone, together, padded, turned])).all()),
        "batch": _apart(alone, together),
        "padding": _apart(alone[:1], padded),
        "order": _apart(alone[:1], turned) if attends else None,
    }


def again(model: SentenceTransformer, language: Language | None, before: Path) -> Found:
    """Compare the embeddings with those of the process before."""
    texts = _sentences(language)
    together = _encoded(model, texts, len(texts))
    finite = bool(torch.isfinite(together).all())
    if not before.is_file():
        return {"finite": finite}
    return {"finite": finite, "processes": _apart(torch.from_numpy(np.load(before)), together)}


def beyond(model: SentenceTransformer, language: Language | None) -> Found:
    """Encode a text that is longer than the longest, and find out how many tokens the model really takes."""
    length = _longest(model)
    if length is None or length > LONGEST_TRIED:
        return {"length": length}
    words = _sentences(language)[0].split()
    text = " ".join(words * (length // len(words) + MORE_WORDS))
    trouble = _trouble(model, text)
    if trouble is None:
        return {"length": length}
    return {"length": length, "beyond": trouble, "takes": _most(model, text, length)}


def _longest(model: SentenceTransformer) -> int | None:
    said = model.max_seq_length
    if said is None or said > 10**6:  # tokenizers without a length say 10**30
        said = getattr(getattr(model.transformers_model, "config", None), "max_position_embeddings", None)
    return int(said) if isinstance(said, int | float) and said > 0 else None


def _trouble(model: SentenceTransformer, text: str) -> str | None:
    try:
        found = _encoded(model, [text], 1)
    except Exception as error:  # noqa: BLE001 - what there are no positions for raises anything
        return f"fails ({_short(error)})"
    return None if torch.isfinite(found).all() else "gives no numbers"


def _most(model: SentenceTransformer, text: str, length: int) -> int | None:
    """The most tokens of a text that the model computes; None: none that helps."""
    before, least, most = model.max_seq_length, 0, length
    while most - least > 1:
        model.max_seq_length = middle = (least + most) // 2
        least, most = (middle, most) if _trouble(model, text) is None else (least, middle)
    model.max_seq_length = before
    return least or None


if __name__ == "__main__":
    examine_models(Path(sys.argv[1]), sys.argv[2])
