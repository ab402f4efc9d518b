"""The methods there are: the program's own, and those of installed packages, found by entry point.

Strategy: names come from the packages' metadata, and nothing is imported until a description is asked for.
What is wrong with one package is one line about it, and costs neither the others nor the program.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import Distribution, EntryPoint, distributions

from engine.errors import EngineError, MethodError
from engine.restoration.method_description import MethodDescription, is_method_name
from engine.restoration.method_names import NETWORK, SPIKE_RATIO

GROUP = "spike_deblur.methods"
_OWN = {
    SPIKE_RATIO: "engine.restoration.own_methods:SPIKE_RATIO_METHOD",
    NETWORK: "engine.restoration.own_methods:NETWORK_METHOD",
}


@dataclass(frozen=True)
class Offer:
    """A method by its name, not loaded yet."""

    name: str
    place: str
    """"package.module:object" of its `MethodDescription`."""
    package: str | None = None
    """Name and version of what offers it; None for the program's own."""
    problem: str = ""
    """Why it cannot be used, where the metadata alone say so."""

    def load(self) -> MethodDescription:
        """Import its description. Raises MethodError in one line, whatever the package does."""
        if self.problem:
            raise MethodError(self.problem, advice=self._advice)
        module, _, attribute = self.place.partition(":")
        try:
            found: object = import_module(module)
            for part in attribute.split("."):
                found = getattr(found, part)
            if not isinstance(found, MethodDescription):
                raise TypeError(f"{self.place} is a {type(found).__name__}, not a MethodDescription")
            if found.name != self.name:
                raise ValueError(f"it calls itself '{found.name}'")
        except (Exception, SystemExit) as error:
            raise self.broken(error) from error
        return found

    def broken(self, error: BaseException) -> MethodError:
        """Return an error of the package as one line about the method."""
        said = " ".join(f"{type(error).__name__}: {error}".split())
        if isinstance(error, EngineError):
            said = str(error)
        if len(said) > 200:
            said = said[:199] + "…"
        of = "" if self.package is None else f" of {self.package}"
        return MethodError(f"the method {self.name}{of} cannot be used", found=said, advice=self._advice)

    @property
    def _advice(self) -> str:
        if self.package is None:
            return "Choose another method, or install the program again"
        return "Choose another method, mend the package or uninstall it"


def offered_methods() -> tuple[Offer, ...]:
    """Return all methods: the program's own, then those of packages by their names.

    A name that is taken, or is none, comes with its `problem`. Imports nothing of any package.
    """
    found: dict[str, list[Offer]] = {}
    for one in _of_packages():
        if _OWN.get(one.name) != one.place:  # the program's own, where it is installed
            found.setdefault(one.name, []).append(one)
    own = tuple(Offer(name, place) for name, place in _OWN.items())
    return (*own, *(_settled(name, offers) for name, offers in sorted(found.items())))


def find_method(name: str) -> Offer:
    """Return the method of this name. Raises MethodError that lists the names there are."""
    if name in _OWN:
        return Offer(name, _OWN[name])
    offers = offered_methods()
    for offer in offers:
        if offer.name == name:
            return offer
    *first, last = [one.name for one in offers if not one.problem]
    raise MethodError(
        f"there is no method '{name}'",
        expected=f"{', '.join(first)} or {last}",
        advice="Choose one of these",
    )


def is_offered(name: str) -> bool:
    """Whether there is a method of this name, one that cannot be used, too."""
    return name in _OWN or any(one.name == name for one in offered_methods())


def _settled(name: str, offers: list[Offer]) -> Offer:
    """Return what becomes of a name that packages have given: one of them, or why none."""
    packages = " and ".join(str(one.package) for one in offers)
    problem = offers[0].problem
    if name in _OWN:
        problem = f"the method {name} of {packages} is not used: the program has one of this name"
    elif not is_method_name(name):
        problem = f"{packages} offers a method under a name that is none: {name[:64]!r}"
    elif len(offers) > 1:
        problem = f"the name {name} is offered by {packages}, and none of them is used"
    return Offer(name, offers[0].place, packages, problem)


def _of_packages() -> Iterator[Offer]:
    """Yield what every package offers; of two with one name the first on the path counts, as for imports."""
    seen: set[str] = set()
    for package in distributions():
        try:
            text = package.read_text("entry_points.txt")
            if text is None or GROUP not in text:
                continue
            name = re.sub(r"[-_.]+", "-", package.name).lower()
            if name in seen:
                continue
            seen.add(name)
            entries = [one for one in package.entry_points if one.group == GROUP]
        except Exception as error:  # noqa: BLE001 (metadata of any kind lie about; one broken costs itself)
            yield _unreadable(package, error)
            continue
        for entry in entries:
            yield _offer(package, entry)


def _offer(package: Distribution, entry: EntryPoint) -> Offer:
    try:
        return Offer(entry.name, f"{entry.module}:{entry.attr}", _name_of(package))
    except AttributeError:  # the value has another form
        problem = f"the method {entry.name} of {_name_of(package)} names no object: {entry.value[:80]!r}"
        return Offer(entry.name, "", _name_of(package), problem)


def _unreadable(package: Distribution, error: Exception) -> Offer:
    name = _name_of(package)
    said = " ".join(f"{type(error).__name__}: {error}".split())[:120]
    return Offer(name.split()[0], "", name, f"what {name} offers cannot be read ({said})")


def _name_of(package: Distribution) -> str:
    try:
        return f"{package.name} {package.version}"
    except Exception:  # noqa: BLE001 (see above)
        return "a package without a name"
