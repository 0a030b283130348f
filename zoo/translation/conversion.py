"""Models in CTranslate2's format, converted on first use and kept."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zoo.characters import brief
from zoo.errors import DataError
from zoo.translation.repository import safe_weights


def converted(model: str, commit: str, compute_type: str, cache: Path) -> Path:
    """The folder of a model in CTranslate2's format, which is made when it is not there.

    Its name says all that it was made from, and it has that name only when it is whole.

    Raises:
        HubError: the model cannot be read. DataError: it cannot be converted.
    """
    from filelock import FileLock

    name = f"{model.replace('/', '--')}-{commit[:12]}-{compute_type}-ctranslate2-{version('ctranslate2')}"
    place = cache / "translators" / name
    if place.is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(place.parent / f".{name}.lock"):
        if not place.is_dir():
            convert(model, safe_weights(model, commit), compute_type, place)
    return place


def convert(model: str, folder: Path, compute_type: str, place: Path) -> None:
    """Convert a model on this disk into a folder that is not there yet, and that has its name only when it is whole.

    Raises:
        DataError: it cannot be converted.
    """
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=place.parent))
    try:
        with _quiet():
            _converter()(str(folder)).convert(str(partial), quantization=compute_type, force=True)
        partial.chmod(0o755)
        partial.rename(place)
    except (ValueError, NotImplementedError, KeyError) as error:
        said = brief(error, 200) or type(error).__name__
        problem = f"model '{model}' cannot be converted for CTranslate2: {said}"
        raise DataError(problem, hint="name another model in the step's options") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _converter() -> Any:
    """CTranslate2's converter, which reads safetensors alone, runs no code of the model's, and asks nobody."""
    from ctranslate2.converters import TransformersConverter

    class Safely(TransformersConverter):  # type: ignore[misc]
        def load_model(self, model_class: Any, model_name_or_path: str, **kwargs: Any) -> Any:
            safe = {**kwargs, "use_safetensors": True, "trust_remote_code": False}
            return model_class.from_pretrained(model_name_or_path, **safe)

        def load_tokenizer(self, tokenizer_class: Any, model_name_or_path: str, **kwargs: Any) -> Any:
            safe = {**kwargs, "trust_remote_code": False}  # nothing said means that somebody is asked
            return tokenizer_class.from_pretrained(model_name_or_path, **safe)

    return Safely


@contextmanager
def _quiet() -> Iterator[None]:
    """Show no bars of transformers inside the block, and no advice on packages that the converter can do without."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if shown:
            logging.enable_progress_bar()
