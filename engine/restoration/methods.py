"""The methods there are by name, those of packages too."""

from typing import TYPE_CHECKING

from engine.errors import EngineError, MethodError
from engine.restoration.memory import is_out_of_memory
from engine.restoration.method import Method
from engine.restoration.method_names import NETWORK
from engine.restoration.offered_methods import find_method

if TYPE_CHECKING:
    from engine.restoration.options import Precision

__all__ = ["Method", "make_method"]


def make_method(
    name: str, model: str | None = None, device: str = "auto", precision: "Precision" = "auto"
) -> Method:
    """Return a method by its name, one that a package offers, too (see `engine.restoration.offered_methods`).

    `model` is the file or the name of a model, for methods that take one; `device` and `precision` say where
    and how it computes (see `engine.restoration.compute_device`). Raises MethodError that lists the names
    there are or the devices, or says in a line what is wrong with a package; CheckpointError where the model
    cannot be loaded.
    """
    offer = find_method(name)
    description = offer.load()
    if model is not None and not description.model_suffixes:
        raise MethodError(f"the method {name} takes no model", advice=f"Choose --method {NETWORK} with it")
    if model is None and description.needs_model:
        raise MethodError(
            f"the method {name} needs a model",
            expected=f"a file with {' or '.join(description.model_suffixes)}",
            advice="Name it with --model",
        )
    try:
        method = description.load_factory()(model, device, precision)
        if not isinstance(method, Method):
            raise TypeError(f"it made a {type(method).__name__}, not a Method")
        if method.description is None:
            method.follow(description.describe(model))
    except (EngineError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        if is_out_of_memory(error):
            raise
        raise offer.broken(error) from error
    method.name, method.package = name, offer.package
    return method
