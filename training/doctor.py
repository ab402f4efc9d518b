"""`python -m training doctor`: what this machine is, whether a configuration fits it, and what to change."""

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import yaml
from torch.utils.flop_counter import FlopCounterMode

from engine.errors import EngineError
from engine.export import write_text_atomically
from engine.model import VRTConfig, VRTSpike, VRTSpikeConfig
from engine.model.attention import BlockGroup
from engine.model.checkpoint import build
from engine.model.config import preset
from training.console import PROGRAM, OneLineParser
from training.machine import Machine, measure_machine

PROBE_PX = 64
COPIES_OF_WEIGHTS = 5
"""Weights, gradients, two moments and the running average."""
USABLE_SHARE = 0.8
"""Of the memory: the rest is for the allocator's gaps and for everyone else."""
REACHED_SHARE = 0.25
"""Of a product's speed that training such networks reaches; a quarter where it is well fed."""
BF16_MEMORY_SHARE = 0.6
SMALLEST_CROP_PX = 64


@dataclass(frozen=True)
class Plan:
    """The options of a configuration that decide whether it fits a machine."""

    batch_size: int
    accumulate: int
    frames: int
    crop_px: int
    checkpointing: bool
    precision: str
    workers: int
    cache_mib: int
    accelerator: str
    devices: int


@dataclass(frozen=True)
class Footprint:
    """What one clip of `frames` × PROBE_PX² costs in training."""

    weights_bytes: int
    activation_bytes: int
    checkpointed_bytes: int
    flop: float
    """Of a forward pass."""


def build_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog=f"{PROGRAM} doctor",
        description="Measure this machine; with --config, say whether it fits and what to change.",
    )
    parser.add_argument("--config", type=Path, help="configuration of a training")
    parser.add_argument("--write", type=Path, metavar="FILE", help="where to write the changed configuration")
    parser.add_argument("--disk", type=Path, default=Path(), help="a folder on the disk to measure")
    return parser


def run(given: Sequence[str]) -> str:
    """Examine what the arguments (after the command's name) ask for. Raises EngineError."""
    options = build_parser().parse_args(given[1:])
    if options.write is not None and options.config is None:
        raise ValueError("--write needs a --config to change")
    if not options.disk.is_dir():
        raise EngineError("no such folder", path=options.disk)
    # Read first: a mistake in it should not wait for the measurements.
    config = None if options.config is None else read_config(options.config)
    machine = measure_machine(options.disk)
    lines = describe(machine)
    if config is not None:
        footprint = measure_network(config)
        before = plan_of(config, machine)
        after = fit_to(before, footprint, machine)
        lines += examine(before, after, footprint, machine, int(config["trainer"]["max_steps"]))
        if options.write is not None:
            changed = apply_plan(yaml.safe_load(options.config.read_text("utf-8")), after)
            write_text_atomically(options.write, yaml.safe_dump(changed, sort_keys=False, allow_unicode=True))
            lines.append(f"written to {options.write}")
    return "\n".join(lines)


def read_config(path: Path) -> dict[str, Any]:
    """Return every option of a training configuration, defaults included, checked as `fit` checks them.

    Raises EngineError when the file cannot be read, SystemExit when it has unknown or wrong options.
    """
    from training.fit import parse

    if not path.is_file():
        raise EngineError("no such configuration", path=path)
    return parse(["fit", "--config", str(path)])


def describe(machine: Machine) -> list[str]:
    gib = 2**30
    count = f"{machine.devices} × " if machine.devices > 1 else ""
    return [
        f"device   {count}{machine.device}, {machine.memory_bytes / gib:.1f} GiB"
        + (" available" if machine.accelerator == "cpu" else ""),
        f"cores    {machine.cores}, {machine.main_memory_bytes / gib:.1f} GiB of main memory available",
        f"speed    {machine.fp32_gflops:,.0f} GFLOP/s in fp32, {machine.bf16_gflops:,.0f} in bf16",
        f"disk     {machine.disk_free_bytes / gib:.0f} GiB free, writes {machine.disk_write_mb_s:.0f} MB/s",
    ]


def measure_network(config: dict[str, Any]) -> Footprint:
    """Run the network of a configuration once on a small clip, and count."""
    told = config["model"]["network"]
    sizes = preset(told) if isinstance(told, str) else _sizes(told)
    network = build(sizes).train()
    frames = int(config["data"]["frames"])
    clip = [torch.rand(1, frames, 3, PROBE_PX, PROBE_PX)]
    if isinstance(network, VRTSpike):
        clip.append(torch.rand(1, frames, network.config.spike_bins, PROBE_PX // 2, PROBE_PX // 2))
    counter = FlopCounterMode(display=False)
    with counter:
        plain = _kept_bytes(network, clip)
    for module in network.modules():
        if isinstance(module, BlockGroup):
            module.checkpointing = True
    weights = sum(parameter.nbytes for parameter in network.parameters())
    return Footprint(weights, plain, _kept_bytes(network, clip), float(counter.get_total_flops()))


def plan_of(config: dict[str, Any], machine: Machine) -> Plan:
    trainer, data = config["trainer"], config["data"]
    devices = trainer["devices"]
    return Plan(
        batch_size=data["batch_size"],
        accumulate=trainer["accumulate_grad_batches"],
        frames=data["frames"],
        crop_px=data["crop_px"],
        checkpointing=config["model"]["checkpointing"],
        precision=str(trainer["precision"] or "32-true"),
        workers=data["workers"],
        cache_mib=data["cache_mib"],
        accelerator=machine.accelerator if trainer["accelerator"] == "auto" else trainer["accelerator"],
        devices=devices if isinstance(devices, int) and devices > 0 else machine.devices,
    )


def needed_bytes(plan: Plan, footprint: Footprint) -> float:
    """Return the memory that a step takes on one device."""
    clip = footprint.checkpointed_bytes if plan.checkpointing else footprint.activation_bytes
    share = BF16_MEMORY_SHARE if plan.precision.startswith(("bf16", "16")) else 1.0
    pixels = (plan.crop_px / PROBE_PX) ** 2
    return COPIES_OF_WEIGHTS * footprint.weights_bytes + plan.batch_size * clip * pixels * share


def fit_to(plan: Plan, footprint: Footprint, machine: Machine) -> Plan:
    """Return the nearest plan that fits: it gives up speed first, then the batch, then the crop."""
    usable = USABLE_SHARE * machine.memory_bytes
    cache_mib = min(plan.cache_mib, machine.main_memory_bytes // 4 // 2**20)
    fitted = replace(
        plan,
        accelerator=machine.accelerator,
        devices=min(plan.devices, machine.devices),
        precision="bf16-mixed" if machine.bf16_pays else "32-true",
        workers=min(plan.workers, max(1, machine.cores - 1)) if plan.workers else 0,
        cache_mib=cache_mib,
    )
    while needed_bytes(fitted, footprint) > usable:
        if fitted.batch_size > 1:
            fitted = replace(fitted, batch_size=fitted.batch_size - 1)
        elif not fitted.checkpointing:
            fitted = replace(fitted, checkpointing=True, batch_size=plan.batch_size)
        elif fitted.crop_px > SMALLEST_CROP_PX:
            fitted = replace(fitted, crop_px=max(SMALLEST_CROP_PX, fitted.crop_px - 32))
        else:
            raise EngineError(
                "this network cannot be trained on this machine",
                found=f"{machine.memory_bytes / 2**30:.1f} GiB",
                expected=f"{needed_bytes(fitted, footprint) / USABLE_SHARE / 2**30:.1f} GiB",
                advice="Choose the preset vrt-spike-small, or a machine with more memory",
            )
    clips = plan.batch_size * plan.accumulate * plan.devices
    return replace(fitted, accumulate=max(1, math.ceil(clips / (fitted.batch_size * fitted.devices))))


def examine(before: Plan, after: Plan, footprint: Footprint, machine: Machine, max_steps: int) -> list[str]:
    gib = 2**30
    lines = [
        f"needs    {needed_bytes(before, footprint) / gib:.1f} GiB for {before.batch_size} clips of "
        f"{before.frames} × {before.crop_px} × {before.crop_px}"
    ]
    changes = [
        f"change   {name}: {getattr(before, name)} → {getattr(after, name)}"
        for name in Plan.__dataclass_fields__
        if getattr(before, name) != getattr(after, name)
    ]
    lines += changes or ["fits     as it is"]
    speed = machine.bf16_gflops if after.precision.startswith("bf16") else machine.fp32_gflops
    flop = 3 * footprint.flop * (after.crop_px / PROBE_PX) ** 2 * after.batch_size * after.accumulate
    seconds = flop / (speed * 1e9 * REACHED_SHARE) * (4 / 3 if after.checkpointing else 1)
    lines.append(
        f"takes    about {seconds:.2g} s a step, {max_steps * seconds / 3600:.1f} h for {max_steps} steps"
        f"{' on each device' if after.devices > 1 else ''}"
    )
    return lines


def apply_plan(config: dict[str, Any], plan: Plan) -> dict[str, Any]:
    """Return a configuration file's content with the plan's values in it."""
    changed = dict(config)
    parts: dict[str, dict[str, Any]] = {
        "model": {"checkpointing": plan.checkpointing},
        "data": {
            "batch_size": plan.batch_size,
            "crop_px": plan.crop_px,
            "workers": plan.workers,
            "cache_mib": plan.cache_mib,
        },
        "trainer": {
            "accelerator": plan.accelerator,
            "devices": plan.devices,
            "precision": plan.precision,
            "accumulate_grad_batches": plan.accumulate,
        },
    }
    for part, values in parts.items():
        changed[part] = {**changed.get(part, {}), **values}
    return changed


def _kept_bytes(network: torch.nn.Module, clip: list[torch.Tensor]) -> int:
    """Return the bytes that a forward pass keeps for the way back, weights left out."""
    kept: dict[int, int] = {}
    weights = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = network(*clip)
    del result
    return sum(kept.values())


def _sizes(told: dict[str, Any]) -> VRTSpikeConfig | VRTConfig:
    return VRTSpikeConfig(**told) if "vrt" in told else VRTConfig(**told)
