"""The methods of packages, as the window learns of them: their descriptions, never what restores.

Strategy: what a package's description imports runs in a thread of the window, which must never have torch. So
importing torch is refused there while packages are looked through; one that wants it is told about, and
the others are used.
"""

import contextlib
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from engine.errors import MethodError
from engine.model_description import ModelDescription
from engine.restoration.method_description import MethodDescription
from engine.restoration.offered_methods import Offer, offered_methods

FORBIDDEN = "torch"


@dataclass(frozen=True)
class FoundMethod:
    """A method that a package offers."""

    name: str
    package: str
    description: MethodDescription | None = None
    models: Mapping[str, ModelDescription] = field(default_factory=dict)
    """What it says of its models, "" being its own, or none."""
    problems: Mapping[str, MethodError] = field(default_factory=dict)
    """Why models cannot be used, likewise; the method itself where there is no description."""

    @property
    def title(self) -> str:
        return self.name if self.description is None else self.description.title

    @property
    def model_suffixes(self) -> tuple[str, ...]:
        return () if self.description is None else self.description.model_suffixes


def look_for_methods(models: Mapping[str, Sequence[str]]) -> tuple[FoundMethod, ...]:
    """Return the methods of packages, described with the files of `models` that were added to each.

    Whatever a package does it costs only its own methods.
    """
    with _without_torch():
        return tuple(
            _found(offer, offer.package, models.get(offer.name, ()))
            for offer in offered_methods()
            if offer.package is not None
        )


def _found(offer: Offer, package: str, models: Sequence[str]) -> FoundMethod:
    try:
        description = offer.load()
    except MethodError as error:
        return FoundMethod(offer.name, package, problems={"": error})
    told: dict[str, ModelDescription] = {}
    problems: dict[str, MethodError] = {}
    for model in ([] if description.needs_model else [""]) + list(models):
        try:
            about = description.describe(model or None)
            if not isinstance(about, ModelDescription):
                raise TypeError(f"describe gave a {type(about).__name__}, not a ModelDescription")
            told[model] = about
        except (Exception, SystemExit) as error:  # noqa: BLE001 (the border: a package may do anything)
            problems[model] = offer.broken(error)
    return FoundMethod(offer.name, package, description, told, problems)


class _Refusal(MetaPathFinder):
    """Refuses to import torch in one thread."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 (the interface)
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] == FORBIDDEN and threading.get_ident() == self._thread:
            raise ImportError(f"a method's description must not import {FORBIDDEN}", name=fullname)
        return None


@contextlib.contextmanager
def _without_torch() -> Iterator[None]:
    refusal = _Refusal()
    sys.meta_path.insert(0, refusal)
    try:
        yield
    finally:
        sys.meta_path.remove(refusal)
