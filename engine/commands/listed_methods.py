"""The methods there are, as help lists them: apart from what restores, so that help comes at once."""

from engine.errors import MethodError
from engine.restoration.offered_methods import offered_methods


def describe_methods() -> str:
    """Return a line for every method there is, one that cannot be used with the reason."""
    rows = []
    for offer in offered_methods():
        try:
            summary = " ".join(offer.load().summary.split())
        except MethodError as error:
            summary = f"cannot be used: {error}"
        else:
            summary += "" if offer.package is None else f" ({offer.package})"
        rows.append((offer.name, summary))
    wide = max(len(name) for name, _ in rows)
    return "\n".join(["methods:", *(f"  {name:<{wide}}  {summary}" for name, summary in rows)])
