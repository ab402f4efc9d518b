"""Restoring with a network: clips of frames and their spikes through VRT or VRT + spikes."""

import contextlib
import dataclasses
import math
from collections.abc import Iterator
from collections.abc import Sequence as SequenceOf
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from engine.errors import MethodError
from engine.findings import Finding
from engine.geometry import Region, Size, Span
from engine.model import VRT, LoadedModel, ModelCard, VRTConfig, VRTSpike, load_model
from engine.model_files import describe_network
from engine.moment import Moment
from engine.restoration.compute_device import AUTOCAST, find_device, find_precision
from engine.restoration.evidence import NOTHING_CHANGED, require_spikes
from engine.restoration.exposure import Exposure
from engine.restoration.first_estimate import FirstEstimate, first_estimate
from engine.restoration.method_names import DEFAULT_MODEL, NETWORK
from engine.restoration.methods import Method
from engine.restoration.options import Precision
from engine.spike_channels import ExposureTotals
from engine.voxels import VoxelSpec

if TYPE_CHECKING:
    from engine.sequence import Sequence

SPIKE_MARGIN_PX = 2
"""Spike pixels around a tile that bilinear samples within it may need."""
LARGEST_VALUE = 1e6
"""White is 1: a network that gives more than this has broken weights, or input that it overflows on."""
FIXED_BYTES = 64 << 20
BYTES_PER_PIXEL = 4600
BYTES_PER_CHANNEL = 18
"""What a pixel of a frame takes at the network's scale, at the peak in float32, and beside that for every
channel of the widest stage. Measured on a CPU with networks of 48 to 120 channels, within a tenth."""


@dataclass(frozen=True, eq=False)
class PreparedClip:
    """What is needed of one clip; spikes are cut from the recording tile by tile."""

    sequence: "Sequence"
    clip: Span
    wanted: tuple[Moment, ...]
    frames: NDArray[np.float32]
    """(T, H, W, 3), as they enter the network."""
    totals: tuple[ExposureTotals, ...] = ()
    """Of each frame's whole exposure, for the channels that measure against it."""
    changes: NDArray[np.float32] | None = None
    """(T, Hs, Ws), one more channel, of networks that correct the spike ratio."""
    kept: NDArray[np.bool_] | None = None
    """(T, H, W), of such networks: pixels that come back as they are, since nothing moves there."""
    reasons: tuple[str, ...] = ()
    """Of such networks: why these frames come back as they are, "" for the others."""

    @property
    def places(self) -> list[int]:
        """Of every wanted moment its frame's place in the clip."""
        return [moment.frame - self.clip.start for moment in self.wanted]


def make_network(model: str | None, device: str, precision: Precision) -> "NetworkMethod":
    """Return the method with a network from a file or by its name, the bundled one where none is named."""
    return NetworkMethod.load(model or DEFAULT_MODEL, device, precision)


class NetworkMethod(Method):
    """Restore with a network in evaluation (see `engine.restoration.method.Method`)."""

    name = NETWORK
    _config: VRTConfig

    def __init__(
        self,
        network: VRT | VRTSpike,
        voxel_spec: VoxelSpec | None,
        device: str | None = None,
        precision: Precision = "fp32",
        *,
        card: ModelCard | None = None,
        findings: tuple[Finding, ...] = (),
    ) -> None:
        """Use a network where it is, or take it to `device`."""
        if isinstance(network, VRTSpike) and voxel_spec is None:
            raise MethodError("a network with a spike branch needs to know how its voxels are made")
        here = next(network.parameters()).device
        torch_device = here if device is None else find_device(device)
        self.device = str(torch_device)
        self.precision = find_precision(precision, torch_device)
        self._network = network.to(torch_device)
        self._spec = voxel_spec
        self._config = network.config.vrt if isinstance(network, VRTSpike) else network.config
        told = {} if card is None else asdict(card)
        self.follow(describe_network(network.config, voxel_spec, told, findings))

    @classmethod
    def load(cls, path_or_name: str, device: str = "cpu", precision: Precision = "fp32") -> "NetworkMethod":
        """Read a network from a file, or a bundled one by its name.

        Raises CheckpointError, MethodError for a device or precision that is not there.
        """
        loaded: LoadedModel = load_model(path_or_name)
        return cls(
            loaded.model, loaded.voxel_spec, device, precision, card=loaded.card, findings=loaded.findings
        )

    def memory_bytes(self, tile: Size, frames: int) -> int:
        """Return about how much restoring a tile of so many frames takes at its peak."""
        pixels = math.prod(-(-edge // self._config.fold) for edge in (tile.height, tile.width))
        per_pixel = BYTES_PER_PIXEL + BYTES_PER_CHANNEL * max(self._config.embed_dims)
        if self.precision != "fp32":
            per_pixel = per_pixel * 2 // 3  # flow, offsets and norms stay in float32
        return FIXED_BYTES + max(2, frames) * pixels * per_pixel

    def prepare(self, sequence: "Sequence", clip: Span, wanted: SequenceOf[Moment]) -> PreparedClip:
        """Read the frames of `clip`. Raises MethodError where spikes are needed and missing."""
        indices = range(clip.start, clip.stop)
        frames = np.stack([sequence.frame(index) for index in indices])
        asked = tuple(wanted)
        if not isinstance(self._network, VRTSpike):
            return PreparedClip(sequence, clip, asked, frames)
        require_spikes(sequence)
        assert sequence.recording is not None
        assert self._spec is not None
        if self._spec.transform != "relative" and not self._network.config.from_ratio:
            return PreparedClip(sequence, clip, asked, frames)
        totals: list[ExposureTotals] = []
        estimates: list[FirstEstimate] = []
        gamma = sequence.gamma if sequence.gamma_known else None
        for frame, index in zip(frames, indices, strict=True):
            voxels = sequence.voxels_on_frame(index, self._spec.bins)
            totals.append(ExposureTotals.of(voxels))
            if self._network.config.from_ratio:
                exposure = Exposure.of_frame(sequence, index)
                estimates.append(first_estimate(frame, exposure, sequence.registration.grid_size, gamma))
        if not estimates:
            return PreparedClip(sequence, clip, asked, frames, tuple(totals))
        entering = np.stack([estimate.picture for estimate in estimates])
        kept = np.stack([estimate.kept for estimate in estimates])
        changes = np.stack([estimate.change for estimate in estimates])
        unchanged = tuple(
            (estimate.unchanged or NOTHING_CHANGED) if estimate.kept.all() else "" for estimate in estimates
        )
        return PreparedClip(sequence, clip, asked, entering, tuple(totals), changes, kept, unchanged)

    def unchanged(self, prepared: PreparedClip) -> tuple[str, ...]:
        reasons = prepared.reasons
        return tuple(reasons[place] for place in prepared.places) if reasons else ()

    def part(self, prepared: PreparedClip, frames: Span) -> PreparedClip:
        chosen = slice(frames.start, frames.stop)
        clip = Span(prepared.clip.start + frames.start, prepared.clip.start + frames.stop)
        return dataclasses.replace(
            prepared,
            clip=clip,
            wanted=tuple(moment for moment in prepared.wanted if moment.frame in clip),
            frames=prepared.frames[chosen],
            totals=prepared.totals[chosen],
            changes=None if prepared.changes is None else prepared.changes[chosen],
            kept=None if prepared.kept is None else prepared.kept[chosen],
            reasons=prepared.reasons[chosen],
        )

    def restore(self, prepared: PreparedClip, region: Region) -> NDArray[np.float32]:
        """Return the restored (wanted, h, w, 3) RGB pictures of `region`, in [0, 1]."""
        return self.restore_batch(prepared, [region])[0]

    def restore_batch(self, prepared: PreparedClip, regions: SequenceOf[Region]) -> NDArray[np.float32]:
        """Return (regions, wanted, h, w, 3): regions of one size go through the network together."""
        cut = np.stack([prepared.frames[(slice(None), *region.slices)] for region in regions])
        frames = self._on_device(np.ascontiguousarray(np.moveaxis(cut, 4, 2)))
        with self._evaluating():
            if isinstance(self._network, VRTSpike):
                spikes = np.stack([self._spikes_of(prepared, region) for region in regions])
                output = self._network(frames, self._on_device(spikes))
            else:
                output = self._network(frames)
        values = output.float()
        # Clamping would make white and black of what is no brightness; NaN stays, and is found.
        values = values.masked_fill(values.abs() > LARGEST_VALUE, math.nan)
        pictures = values.clamp(0, 1).permute(0, 1, 3, 4, 2).cpu().numpy()
        if prepared.kept is not None:
            kept = np.stack([prepared.kept[(slice(None), *region.slices)] for region in regions])
            pictures[kept] = cut[kept]
        return np.ascontiguousarray(pictures[:, prepared.places])

    def free_memory(self) -> None:
        """Give back what libraries keep of the device's memory."""
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()
        elif self.device == "mps":
            torch.mps.empty_cache()

    def _spikes_of(self, prepared: PreparedClip, region: Region) -> NDArray[np.float32]:
        """Return what the spikes saw of `region`, as the network takes it: (T, channels, h, w)."""
        assert self._spec is not None
        frame, spikes = Size(*prepared.frames.shape[1:3]), prepared.sequence.registration.grid_size
        needed = spike_region(region, frame, spikes)
        channels = []
        for offset, index in enumerate(range(prepared.clip.start, prepared.clip.stop)):
            voxels = prepared.sequence.voxels_on_frame(index, self._spec.bins, needed)
            cut = self._spec.apply(voxels, prepared.totals[offset] if prepared.totals else None)
            if prepared.changes is not None:
                change = prepared.changes[(offset, *needed.slices)]
                cut = np.concatenate([cut, change[None]])
            channels.append(cut)
        return sample_spikes(torch.from_numpy(np.stack(channels)), needed, region, frame, spikes).numpy()

    def _on_device(self, values: NDArray[np.float32]) -> Tensor:
        tensor = torch.from_numpy(values)
        if self.device.startswith("cuda"):
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor.to(self.device)

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        was_training = self._network.training
        if was_training:
            self._network.eval()
        kind = AUTOCAST.get(self.precision)
        casting = (
            contextlib.nullcontext()
            if kind is None
            else torch.autocast(torch.device(self.device).type, dtype=kind)
        )
        try:
            with torch.inference_mode(), casting:
                yield
        finally:
            if was_training:
                self._network.train()


def spike_region(region: Region, frame: Size, spikes: Size) -> Region:
    """Return the spike pixels that a region of frames of size `frame` needs, with a margin to sample."""
    top, left, bottom, right = _at_spikes(region, frame, spikes)
    if _are_whole(top, left, bottom, right):
        return Region(round(top), round(left), round(bottom), round(right))
    around = Region(math.floor(top), math.floor(left), max(math.ceil(bottom), 1), max(math.ceil(right), 1))
    return around.expand(SPIKE_MARGIN_PX, spikes)


def sample_spikes(cut: Tensor, needed: Region, region: Region, frame: Size, spikes: Size) -> Tensor:
    """Return what `cut` (T, C, h, w), the `needed` pixels of planes of size `spikes`, saw of `region`.

    The cut itself where the region's borders fall between spike pixels; elsewhere bilinear samples at the
    exact places, so that spikes never drift against the frames.
    """
    top, left, bottom, right = _at_spikes(region, frame, spikes)
    if _are_whole(top, left, bottom, right):
        return cut.contiguous()
    ys = _sample_positions(top - needed.top, bottom - needed.top, needed.size.height)
    xs = _sample_positions(left - needed.left, right - needed.left, needed.size.width)
    grid = torch.stack(torch.meshgrid(xs, ys, indexing="xy"), dim=-1)[None].expand(len(cut), -1, -1, -1)
    return functional.grid_sample(cut, grid, padding_mode="border", align_corners=False)


def cut_spikes(spikes: Tensor, region: Region, frame: Size) -> Tensor:
    """Return what whole planes (T, C, Hs, Ws) saw of `region` of frames of size `frame`."""
    size = Size(*spikes.shape[-2:])
    needed = spike_region(region, frame, size)
    return sample_spikes(spikes[(..., *needed.slices)], needed, region, frame, size)


def _at_spikes(region: Region, frame: Size, spikes: Size) -> tuple[float, float, float, float]:
    """Return a region's borders in spike pixels: top, left, bottom, right."""
    down, across = spikes.height / frame.height, spikes.width / frame.width
    return region.top * down, region.left * across, region.bottom * down, region.right * across


def _are_whole(*edges: float) -> bool:
    return all(edge == round(edge) for edge in edges)


def _sample_positions(start: float, stop: float, length: int) -> Tensor:
    """Return evenly spread pixel centres of [start, stop) in the [−1, 1] that grid_sample counts in."""
    count = max(1, round(stop - start))
    centres = start + (torch.arange(count) + 0.5) * (stop - start) / count
    return centres * 2 / length - 1
