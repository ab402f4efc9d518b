"""The video restoration transformer for deblurring, alone and guided by spikes.

What needs torch is loaded when it is asked for: sizes, and what files say of themselves, are read without it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from engine.model.config import PRESETS, VRTConfig, VRTSpikeConfig, preset

if TYPE_CHECKING:
    from engine.model.checkpoint import LoadedModel, ModelCard, build, load_model, load_weights, save_model
    from engine.model.network import VRT, VRTSpike

__all__ = [
    "PRESETS",
    "VRT",
    "LoadedModel",
    "ModelCard",
    "VRTConfig",
    "VRTSpike",
    "VRTSpikeConfig",
    "build",
    "load_model",
    "load_weights",
    "preset",
    "save_model",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "network" if name in ("VRT", "VRTSpike") else "checkpoint"
    return getattr(import_module(f"{__name__}.{module}"), name)
