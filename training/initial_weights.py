"""Start a network from weights of the whole or of a part of it."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor, nn

from engine.errors import EngineError
from engine.model import VRT, VRTSpike
from engine.model.checkpoint import read_weights
from engine.model.names import to_our_names

SPYNET_NAME = re.compile(r"^(?:module\.)?basic_module\.")
Naming = Callable[[Mapping[str, Tensor]], dict[str, Tensor]]


def start_from(network: VRT | VRTSpike, path: Path) -> tuple[str, ...]:
    """Copy weights into a network, or into the part of it that they belong to; return what got none.

    Takes what the engine reads: our exports, published VRT (for the frames' part of a network with spikes),
    VRT+spike trainings, and a SpyNet alone (for the flow). Raises EngineError when the weights fit nowhere.
    """
    state = read_weights(path)
    own = network.state_dict()
    found: dict[str, Tensor] | None = None
    misfits: list[str] = []
    for name, naming in _NAMINGS.items():
        named = naming(state)
        if not named.keys() <= own.keys():
            continue
        misfits = [
            f"{key} {tuple(value.shape)} instead of {tuple(own[key].shape)}"
            for key, value in named.items()
            if value.shape != own[key].shape
        ]
        if not misfits:
            found = named
            break
        misfits.insert(0, f"as {name}")
    if found is None:
        raise EngineError(
            "these weights belong to another network",
            path=path,
            found=", ".join(misfits[:4]) or f"names such as {', '.join(list(state)[:3])}",
            advice="Choose the network they were trained for, or start without --model.init",
        )
    network.load_state_dict(found, strict=False)
    return tuple(sorted(own.keys() - found.keys()))


def start_as_identity(network: VRT | VRTSpike) -> None:
    """Let a fresh network leave the blurry frames as they are, until it has learned better."""
    vrt = network.vrt if isinstance(network, VRTSpike) else network
    nn.init.zeros_(vrt.last_convolution.weight)
    if vrt.last_convolution.bias is not None:
        nn.init.zeros_(vrt.last_convolution.bias)


def _as_flow(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return to_our_names({SPYNET_NAME.sub("spynet.basic_module.", name): v for name, v in state.items()})


def _below(prefix: str, naming: Naming) -> Naming:
    return lambda state: {prefix + name: value for name, value in naming(state).items()}


_NAMINGS: dict[str, Naming] = {
    "a whole network": to_our_names,
    "the frames' part": _below("vrt.", to_our_names),
    "a flow network": _as_flow,
    "the flow of the frames' part": _below("vrt.", _as_flow),
}
