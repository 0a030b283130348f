"""A Hub in miniature: stand-ins for base models and datasets under their real ids, made from our own grammar.

Everything here is a pure function of a seed: the same bytes every time, no network, no Hub. Importing the package is
light; `datasets` and `standins` import their libraries when they are called.
"""

from zoo.miniature.repository import Repository

__all__ = ["Repository"]
