"""What a package says of a method that it offers under the entry point `spike_deblur.methods`.

    [project.entry-points."spike_deblur.methods"]
    my-method = "my_lab.description:MY_METHOD"

`MY_METHOD` is a `MethodDescription`. Its module is imported by the command line, the worker and the window,
which must not load torch; the factory that it names is imported only where frames are restored.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from engine.model_description import ModelDescription

if TYPE_CHECKING:
    from engine.restoration.method import Method
    from engine.restoration.options import Precision

    Factory = Callable[[str | None, str, Precision], Method]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


@dataclass(frozen=True, kw_only=True)
class MethodDescription:
    """A method that can be chosen; making one of these loads nothing.

    Raises ValueError where a field is wrong.
    """

    name: str
    """As it is typed, the entry point's own: letters, digits, "-", "_" and ".", at most 64."""
    title: str
    """For people."""
    summary: str
    """One line: what it does, and what for it is to be chosen."""
    describe: Callable[[str | None], ModelDescription]
    """Say what it needs and how it is cut with a model (a file or a name; None for its own, or for none).

    Without torch. A file that cannot be told about without it gets a description that is not `is_complete`;
    the factory's method then brings its own (`Method.follow`). Raises EngineError for a file that is none.
    """
    factory: str
    """"package.module:callable", called as `factory(model, device, precision)` where frames are restored, to
    return an `engine.restoration.method.Method`. `device` is "auto", "cpu", "cuda:N" or "mps", `precision`
    "auto", "fp32", "bf16" or "fp16". It may import and raise what it likes; an EngineError is told as it is.
    """
    model_suffixes: tuple[str, ...] = ()
    """Of the files of models that it takes, such as ".safetensors"; empty where it takes none."""
    needs_model: bool = False
    """Whether it has no model of its own, so that one must be named."""

    def __post_init__(self) -> None:
        for name in ("name", "title", "summary", "factory"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name).strip():
                raise ValueError(f"{name} must be a text, not {getattr(self, name)!r}")
        if not is_method_name(self.name):
            raise ValueError(f"name must be letters, digits, '-', '_' and '.', not {self.name!r}")
        if not _PATH.fullmatch(self.factory):
            raise ValueError(f'factory must be "package.module:callable", not {self.factory!r}')
        if not callable(self.describe):
            raise ValueError("describe must be a function")
        suffixes = self.model_suffixes
        if not isinstance(suffixes, tuple) or not all(
            isinstance(one, str) and one.startswith(".") for one in suffixes
        ):
            raise ValueError(f'model_suffixes must be a tuple like (".pth",), not {suffixes!r}')
        if self.needs_model and not suffixes:
            raise ValueError("a method that needs a model must say which files it takes (model_suffixes)")

    def load_factory(self) -> "Factory":
        """Import what makes the method. Raises what importing it raises."""
        module, _, attribute = self.factory.partition(":")
        made: object = import_module(module)
        for part in attribute.split("."):
            made = getattr(made, part)
        if not callable(made):
            raise TypeError(f"{self.factory} is a {type(made).__name__}, not a function")
        return made


def is_method_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None
