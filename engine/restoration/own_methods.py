"""The program's own methods, described; nothing heavy is imported here."""

from typing import TYPE_CHECKING

from engine.model_description import FEWEST_PLANES_OF_RATIO, ModelDescription
from engine.model_files import SUFFIXES, describe_model, locate
from engine.restoration.method_description import MethodDescription
from engine.restoration.method_names import DEFAULT_MODEL, NETWORK, SPIKE_RATIO

if TYPE_CHECKING:
    from pathlib import Path

RATIO_DESCRIPTION = ModelDescription(
    kind=SPIKE_RATIO,
    title="Spike ratio",
    lines=("No training, no model: from each frame and its spikes alone",),
    fewest_planes=FEWEST_PLANES_OF_RATIO,
    default_tile_px=256,
)


def _describe_ratio(_model: str | None) -> ModelDescription:
    return RATIO_DESCRIPTION


def _describe_network(model: str | None) -> ModelDescription:
    path: Path = locate(model or DEFAULT_MODEL)
    return describe_model(path)


SPIKE_RATIO_METHOD = MethodDescription(
    name=SPIKE_RATIO,
    title="Spike ratio",
    summary="what the spikes saw at the middle of an exposure over all of it: quick, coarser, no training",
    describe=_describe_ratio,
    factory="engine.restoration.spike_ratio:make_spike_ratio",
)
NETWORK_METHOD = MethodDescription(
    name=NETWORK,
    title="Network",
    summary="frames and spikes through a network, the bundled one or that of --model: slower, better",
    describe=_describe_network,
    factory="engine.restoration.network_method:make_network",
    model_suffixes=SUFFIXES,
)
