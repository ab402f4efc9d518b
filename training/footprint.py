"""What training a network takes, counted on tensors that have shapes and no memory."""

import weakref
from dataclasses import dataclass
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from engine.model import VRTConfig, VRTSpike, VRTSpikeConfig
from engine.model.attention import BlockGroup
from engine.model.checkpoint import build
from engine.model.config import preset

PROBE_PX = 64
"""Height and width of the clip that is gone through."""


@dataclass(frozen=True)
class Footprint:
    """What one clip of `frames` × PROBE_PX² costs in training, in fp32."""

    weights_bytes: int
    activation_bytes: int
    """The most that a step holds at once, weights and their gradients left out."""
    checkpointed_bytes: int
    """The same with checkpointing."""
    flop: float
    """Of a forward pass."""


def measure_network(config: dict[str, Any]) -> Footprint:
    """Go through a training step of a configuration's network on a small clip, and count.

    Nothing is computed and no tensor has memory, so that the largest network can be judged on any machine.
    Counted is what a CPU does: a GPU's fused alignment takes somewhat less.
    """
    told = config["model"]["network"]
    sizes = preset(told) if isinstance(told, str) else _sizes(told)
    network = build(sizes).train()
    frames = int(config["data"]["frames"])
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    with fake:
        clip = [torch.rand(1, frames, 3, PROBE_PX, PROBE_PX)]
        if isinstance(network, VRTSpike):
            clip.append(torch.rand(1, frames, network.config.spike_bins, PROBE_PX // 2, PROBE_PX // 2))
    # What follows is outside the mode, so that tables which do not depend on the frames stay real: they are
    # kept for the next network.
    state = network.state_dict(keep_vars=True)
    network.load_state_dict({name: fake.from_tensor(own) for name, own in state.items()}, assign=True)
    with FlopCounterMode(display=False) as counter:
        network(*clip)
    plain = _peak_bytes(network, clip)
    for module in network.modules():
        if isinstance(module, BlockGroup):
            module.checkpointing = True
    checkpointed = _peak_bytes(network, clip)
    weights = sum(parameter.nbytes for parameter in network.parameters())
    return Footprint(weights, plain, checkpointed, float(counter.get_total_flops()))


def _sizes(told: dict[str, Any]) -> VRTSpikeConfig | VRTConfig:
    return VRTSpikeConfig(**told) if "vrt" in told else VRTConfig(**told)


class _LiveTensors(TorchDispatchMode):
    """Counts the bytes of the tensors that are made and alive, and the most there were at once."""

    def __init__(self) -> None:
        super().__init__()
        self.peak_bytes = 0
        self._alive_bytes = 0
        self._alive: set[int] = set()

    def leave_out(self, tensor: torch.Tensor) -> None:
        self._alive.add(tensor.untyped_storage()._cdata)

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor):
                self._count(tensor.untyped_storage())
        return made

    def _count(self, storage: torch.UntypedStorage) -> None:
        if storage._cdata in self._alive:
            return
        self._alive.add(storage._cdata)
        self._alive_bytes += storage.nbytes()
        self.peak_bytes = max(self.peak_bytes, self._alive_bytes)
        weakref.finalize(storage, self._forget, storage._cdata, storage.nbytes())

    def _forget(self, key: int, size_bytes: int) -> None:
        self._alive.discard(key)
        self._alive_bytes -= size_bytes


def _peak_bytes(network: torch.nn.Module, clip: list[torch.Tensor]) -> int:
    """Return the most bytes that a step holds at once, weights and their gradients left out."""
    live = _LiveTensors()
    for own in (*network.parameters(), *network.buffers()):
        live.leave_out(own)
    hooks = [own.register_post_accumulate_grad_hook(_drop_gradient) for own in network.parameters()]
    with live:
        network(*clip).sum().backward()
    for hook in hooks:
        hook.remove()
    return live.peak_bytes


def _drop_gradient(parameter: torch.Tensor) -> None:
    parameter.grad = None
