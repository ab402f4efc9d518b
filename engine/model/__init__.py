"""The video restoration transformer for deblurring, alone and guided by spikes."""

from engine.model.checkpoint import LoadedModel, ModelCard, build, load_model, load_weights, save_model
from engine.model.config import PRESETS, VRTConfig, VRTSpikeConfig, preset
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
