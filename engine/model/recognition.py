"""Work out the configuration of a network from its weights, for checkpoints that do not tell it.

Sizes follow from names and shapes. What leaves no trace there is taken to be as in all published networks:
square windows, the range of the alignment's residues, one flow for both directions, spike branches of 4 heads
and a temporal stride of 1. Networks that only this program makes are known where they are one of its presets.
"""

import math
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import torch
from torch import Tensor

from engine.errors import CheckpointError
from engine.model.config import ENCODER_STAGES, PRESETS, STAGES, Config, VRTConfig, VRTSpikeConfig
from engine.model.network import VRT, VRTSpike

State = Mapping[str, Tensor]
ENTRY = "entry."
"""Where the spikes join the frames before the first stage, which they do in no published network."""


def recognise(state: State) -> Config:
    """Return the configuration that weights under our names belong to.

    Raises CheckpointError where they are of another network.
    """
    known = _preset(state)
    if known is not None:
        return known
    try:
        if any(name.startswith(("vrt.", "spikes.", "fusion.")) for name in state):
            return _spike_config(state)
        return _vrt_config(state)
    except (KeyError, ValueError, TypeError, IndexError, ZeroDivisionError) as cause:
        raise CheckpointError(
            "the weights are of no network known here",
            found=", ".join(sorted(state)[:3]) or "no weights",
            expected="a VRT for deblurring, alone or with a spike branch",
        ) from cause


@cache
def preset_shapes(name: str) -> Mapping[str, torch.Size]:
    """Return the shape of every weight of a preset, by the weight's name. Takes no memory for the weights."""
    config = PRESETS[name]
    with torch.device("meta"):
        made = VRTSpike(config) if isinstance(config, VRTSpikeConfig) else VRT(config)
    return MappingProxyType({key: value.shape for key, value in made.state_dict().items()})


def _preset(state: State) -> Config | None:
    """Return the preset that has a part no published network has, and these very shapes."""
    if not any(name.startswith(ENTRY) for name in state):
        return None
    shapes = {name: value.shape for name, value in state.items()}
    for name, config in PRESETS.items():
        if isinstance(config, VRTSpikeConfig) and config.spikes_at_entry and shapes == preset_shapes(name):
            return config
    raise CheckpointError(
        "the weights are of a network of this program whose sizes are not in the file",
        expected="a .safetensors, which holds them, or the weights of a preset",
        advice="Write it with `python -m training export`, or `engine.model.save_model`",
    )


def _spike_config(state: State) -> VRTSpikeConfig:
    vrt = {name.removeprefix("vrt."): value for name, value in state.items() if name.startswith("vrt.")}
    entry = state["spikes.encoder.entry.weight"]
    widths = [len(state[f"spikes.attention.{scale}.projection.bias"]) for scale in range(ENCODER_STAGES)]
    first, second, third, fourth = widths
    return VRTSpikeConfig(
        vrt=_vrt_config(vrt),
        spike_bins=entry.shape[1],
        channels_per_scale=(first, second, third, fourth),
        mlp_ratio=len(state["spikes.attention.0.mlp.0.bias"]) / first,
    )


def _vrt_config(state: State) -> VRTConfig:
    groups = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("reconstruction."))
    mutual = [_blocks(state, f"stages.{index}.mutual") for index in range(STAGES)]
    alone = [_blocks(state, f"stages.{index}.attention") for index in range(STAGES)]
    rebuilt = [_blocks(state, f"reconstruction.{index}") for index in range(groups)]
    places = [f"stages.{index}.attention" for index in range(STAGES)]
    places += [f"reconstruction.{index}" for index in range(groups)]
    tables = [state[f"{place}.blocks.0.attention.bias_table"] for place in places]
    rows = [len(table) for table in tables]
    area = _square(len(state["stages.0.mutual.blocks.0.attention.bias_table"]) // 3)
    edge = (area + 1) // 2
    frames = (rows[0] // area**2 + 1) // 2
    widths = [len(state[f"{place}.linear.bias"]) for place in places]
    stage = state["stages.0.warping.deformable.offset_head.bias"]
    return VRTConfig(
        window_size=(frames, edge, edge),
        depths=tuple(a + b for a, b in zip(mutual, alone, strict=True)) + tuple(rebuilt),
        indep_reconsts=tuple(
            index for index in range(STAGES, len(places)) if frames > 1 and rows[index] == area**2
        ),
        embed_dims=tuple(widths),
        num_heads=tuple(table.shape[1] for table in tables),
        deformable_groups=len(stage) // 27,
        mutual_share=_share(mutual, alone),
        mlp_ratio=len(state["stages.0.attention.blocks.0.mlp.gate.bias"]) / widths[0],
    )


def _blocks(state: State, place: str) -> int:
    pattern = re.compile(re.escape(place) + r"\.blocks\.(\d+)\.attention\.bias_table")
    return sum(pattern.fullmatch(name) is not None for name in state)


def _share(mutual: list[int], alone: list[int]) -> float:
    """Return the share of mutual blocks that gives these counts when it is rounded down."""
    for share in (0.75, *((m + 0.5) / (m + a) for m, a in zip(mutual, alone, strict=True))):
        if all(int((m + a) * share) == m for m, a in zip(mutual, alone, strict=True)):
            return share
    raise ValueError(f"no one share gives mutual blocks {mutual} beside {alone}")


def _square(number: int) -> int:
    root = math.isqrt(number)
    if root * root != number or root % 2 == 0:
        raise ValueError(f"{number} rows are no square window's")
    return root
