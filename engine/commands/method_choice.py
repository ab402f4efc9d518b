"""Which method a command was asked for, and what happens when its network is not there."""

from dataclasses import dataclass
from pathlib import Path

from engine.commands.manifest import hash_of_file
from engine.errors import CheckpointError
from engine.findings import Finding
from engine.model_files import locate
from engine.restoration.method_names import DEFAULT_METHOD, DEFAULT_MODEL, NETWORK, SPIKE_RATIO
from engine.restoration.methods import Method, make_method
from engine.restoration.options import ComputeOptions


@dataclass(frozen=True)
class MethodChoice:
    """A method by its name, with the network it is to use."""

    name: str = DEFAULT_METHOD
    model: str | None = None
    """File or name of a network; None for the bundled one."""
    falls_back: bool = False
    """Whether the spike ratio takes over where the network cannot be loaded."""

    def make(self, compute: ComputeOptions) -> tuple[Method, tuple[Finding, ...]]:
        """Return the method, where and in the precision asked for, and what to know about the choice.

        Raises MethodError for unknown names, CheckpointError where the network cannot be loaded and
        nobody asked to fall back.
        """
        try:
            method = make_method(self.name, self.model, compute.device, compute.precision)
            return method, method.findings
        except CheckpointError as error:
            if not self.falls_back:
                raise CheckpointError(
                    error.problem,
                    path=error.path,
                    found=error.found,
                    expected=error.expected,
                    advice=f"{error.advice or 'Name another network with --model'}. "
                    f"Or go on without a network: --fallback",
                ) from error
            remark = Finding(
                f"the spike ratio was used instead of the network: {error}",
                "Name another network with --model",
            )
            return make_method(SPIKE_RATIO), (remark,)

    def model_hash(self, method: Method) -> str | None:
        """Return the SHA-256 of the model's file, None where `method` has none."""
        if method.name == NETWORK:
            return hash_of_file(locate(self.model or DEFAULT_MODEL))
        if method.name != self.name or self.model is None or not Path(self.model).is_file():
            return None
        return hash_of_file(Path(self.model))
