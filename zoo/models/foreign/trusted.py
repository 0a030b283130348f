"""Code of others that this process may run: whether a folder holds no other code than there is consent to."""

from __future__ import annotations

from pathlib import Path

from zoo.errors import TrainError
from zoo.isolation import consented_folder
from zoo.modules.own import own_files
from zoo.run import file_digest


def trust(folder: Path) -> dict[str, bool]:
    """Whether code in the folder of a model that training saved is run, as libraries take it.

    Only a process that has been started for a model with consent runs any, and only what that model and zoo bring.

    Raises:
        TrainError: the folder has code of another origin.
    """
    consented = consented_folder()
    if consented is None:
        return {"trust_remote_code": False}
    known = {file_digest(file) for file in consented.rglob("*.py")} | set(own_files().values())
    for file in sorted(folder.rglob("*.py")):
        if file_digest(file) not in known:
            problem = f"'{file}' is neither code that there is consent to, nor zoo's own: it is not run"
            raise TrainError(problem, hint="zoo build it again with --force train")
    return {"trust_remote_code": True}
