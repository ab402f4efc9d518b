"""Headless engine: recordings, voxels, sequences, restoring, the worker process and the command line.

`engine.open`, `engine.restore` and `engine.score` are its public face (see `engine.public`), loaded when they
are first asked for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.public import open, restore, score

__all__ = ["open", "restore", "score"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'engine' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module("engine.public"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
