"""Restoring with a network: clips of frames and their spikes through VRT or VRT + spikes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from engine.errors import MethodError
from engine.geometry import Region, Size, Span
from engine.model import VRT, LoadedModel, VRTSpike, load_model
from engine.restore.first_estimate import start_from_ratio
from engine.restore.methods import NETWORK
from engine.voxels import VoxelSpec

if TYPE_CHECKING:
    from engine.sequence import Sequence

CLIP_OVERLAP = 2
"""Frames that neighbouring clips share, as the network's authors restore long sequences."""
CPU_TILE_PX = 128
"""Edge of a tile at the scale the network works at: 6 frames of it take about 2 GB."""
OVERLAP_PX = 24
"""Pixels of that scale that neighbouring tiles share."""


@dataclass(frozen=True, eq=False)
class PreparedClip:
    """Inputs of one clip, whole frames."""

    frames: NDArray[np.float32]
    """(T, H, W, 3)"""
    spikes: NDArray[np.float32] | None
    """(T, K, Hs, Ws), as the network takes them; None for a network without spikes."""


class NetworkMethod:
    """Restore with a network in evaluation (see `engine.restore.methods.Method`)."""

    name = NETWORK

    def __init__(self, network: VRT | VRTSpike, voxel_spec: VoxelSpec | None) -> None:
        if isinstance(network, VRTSpike) and voxel_spec is None:
            raise MethodError("a network with a spike branch needs to know how its voxels are made")
        self._network = network
        self._spec = voxel_spec
        config = network.config.vrt if isinstance(network, VRTSpike) else network.config
        self.clip_frames = config.window_size[0]
        self.clip_overlap = min(CLIP_OVERLAP, self.clip_frames - 1)
        self.multiple_px = network.config.multiple_px
        self.overlap_px = OVERLAP_PX * config.fold
        self.default_tile_px: int | None = CPU_TILE_PX * config.fold

    @classmethod
    def load(cls, path_or_name: str) -> "NetworkMethod":
        """Read a network from a file, or a bundled one by its name. Raises CheckpointError."""
        loaded: LoadedModel = load_model(path_or_name)
        return cls(loaded.model, loaded.voxel_spec)

    def prepare(self, sequence: "Sequence", clip: Span) -> PreparedClip:
        """Read frames and voxels of `clip`. Raises MethodError where spikes are needed and missing."""
        frames = np.stack([sequence.frame(index) for index in range(clip.start, clip.stop)])
        if not isinstance(self._network, VRTSpike):
            return PreparedClip(frames, None)
        if sequence.recording is None:
            raise MethodError(
                "this network needs spikes, and the sequence has none",
                path=sequence.source.path,
                advice="Name the recording with --spikes, or choose a network without a spike branch",
            )
        assert self._spec is not None
        spec = self._spec
        voxels = [sequence.voxels(index, spec.bins) for index in range(clip.start, clip.stop)]
        spikes = np.stack([spec.apply(grid) for grid in voxels])
        if self._network.config.from_ratio:
            gamma = sequence.gamma if sequence.gamma_known else None
            frames, spikes = start_from_ratio(frames, spikes, voxels, gamma)
        return PreparedClip(frames, spikes)

    def restore(self, prepared: PreparedClip, region: Region) -> NDArray[np.float32]:
        """Return the restored (T, h, w, 3) RGB pictures of `region`, in [0, 1]."""
        rows, columns = region.slices
        device = next(self._network.parameters()).device
        frames = torch.from_numpy(
            np.ascontiguousarray(np.moveaxis(prepared.frames[:, rows, columns], 3, 1))[None]
        ).to(device)
        was_training = self._network.training
        self._network.eval()
        try:
            with torch.inference_mode():
                if isinstance(self._network, VRTSpike):
                    assert prepared.spikes is not None
                    size = Size(*prepared.frames.shape[1:3])
                    spikes = cut_spikes(torch.from_numpy(prepared.spikes), region, size)
                    output = self._network(frames, spikes[None].to(device))
                else:
                    output = self._network(frames)
        finally:
            self._network.train(was_training)
        pictures = output[0].float().clamp(0, 1).permute(0, 2, 3, 1).cpu().numpy()
        return np.ascontiguousarray(pictures)


def cut_spikes(spikes: Tensor, region: Region, frame: Size) -> Tensor:
    """Return what spikes (T, K, Hs, Ws) saw of `region` of frames of size `frame`, at the spikes' scale.

    A plain cut where the region's borders fall between spike pixels; elsewhere bilinear samples at the
    exact places, so that spikes never drift against the frames.
    """
    height, width = spikes.shape[-2:]
    down, across = height / frame.height, width / frame.width
    top, left = region.top * down, region.left * across
    bottom, right = region.bottom * down, region.right * across
    if all(edge == round(edge) for edge in (top, left, bottom, right)):
        return spikes[..., round(top) : round(bottom), round(left) : round(right)].contiguous()
    ys = _sample_positions(top, bottom, height)
    xs = _sample_positions(left, right, width)
    grid = torch.stack(torch.meshgrid(xs, ys, indexing="xy"), dim=-1)[None].expand(len(spikes), -1, -1, -1)
    return functional.grid_sample(spikes, grid, padding_mode="border", align_corners=False)


def _sample_positions(start: float, stop: float, length: int) -> Tensor:
    """Return evenly spread pixel centres of [start, stop) in the [−1, 1] that grid_sample counts in."""
    count = max(1, round(stop - start))
    centres = start + (torch.arange(count) + 0.5) * (stop - start) / count
    return centres * 2 / length - 1
