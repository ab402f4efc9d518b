"""`python -m training doctor`: what this machine is, whether a configuration fits it, and what to change."""

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from engine.errors import EngineError
from engine.export import write_text_atomically
from training.console import PROGRAM, OneLineParser, progress_bar
from training.footprint import PROBE_PX, Footprint, measure_network
from training.losses import VGG_FILE
from training.machine import Machine, measure_machine

COPIES_OF_WEIGHTS = 5
"""Weights, gradients, two moments and the running average."""
GAPS_FACTOR = 1.3
"""Memory of a process to that of its tensors: gaps between them, and what libraries work in. Of steps of
vrt-spike-small on a CPU it was 1.22 in fp32, 1.40 in bf16."""
USABLE_SHARE = 0.9
"""Of the memory: the rest is for everyone else."""
REACHED_SHARE = 0.25
"""Of a product's speed that training such networks reaches; a quarter where it is well fed."""
BF16_MEMORY_SHARE = 0.75
"""Of fp32's: norms, softmax and flow stay in fp32. Of vrt-spike-small it is 0.72."""
SMALLEST_CROP_PX = 64
HOPELESS_HOURS = 24 * 30
SMALL_PRESET = "vrt-spike-small"


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
    with progress_bar("Measuring this machine"):
        machine = measure_machine(options.disk)
    lines = describe(machine)
    if config is not None:
        with progress_bar("Counting what a step of the network takes (a large one: a minute)"):
            footprint = measure_network(config)
        before = plan_of(config, machine)
        after = fit_to(before, footprint, machine)
        lines += examine(before, after, footprint, machine)
        lines += predict(after, footprint, machine, config)
        lines += missing_from(config)
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


def needed_bytes(plan: Plan, footprint: Footprint, machine: Machine) -> float:
    """Return the memory that a training takes on one device, the program itself included."""
    clip = footprint.checkpointed_bytes if plan.checkpointing else footprint.activation_bytes
    share = BF16_MEMORY_SHARE if plan.precision.startswith(("bf16", "16")) else 1.0
    pixels = (plan.crop_px / PROBE_PX) ** 2
    tensors = COPIES_OF_WEIGHTS * footprint.weights_bytes + plan.batch_size * clip * pixels * share
    return machine.program_bytes + GAPS_FACTOR * tensors


def fit_to(plan: Plan, footprint: Footprint, machine: Machine) -> Plan:
    """Return the nearest plan that fits: it gives up speed first, then the batch, then the crop."""
    usable = USABLE_SHARE * machine.memory_bytes
    devices = min(plan.devices, machine.devices)
    # Each device has a process of its own, with its workers and cache: they share cores and main memory.
    fitted = replace(
        plan,
        accelerator=machine.accelerator,
        devices=devices,
        precision="bf16-mixed" if machine.bf16_pays else "32-true",
        workers=min(plan.workers, max(1, machine.cores // devices - 1)),
        cache_mib=min(plan.cache_mib, machine.main_memory_bytes // 4 // devices // 2**20),
    )
    while needed_bytes(fitted, footprint, machine) > usable:
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
                expected=f"{needed_bytes(fitted, footprint, machine) / USABLE_SHARE / 2**30:.1f} GiB",
                advice="Choose the preset vrt-spike-small, or a machine with more memory",
            )
    clips = plan.batch_size * plan.accumulate * plan.devices
    return replace(fitted, accumulate=max(1, math.ceil(clips / (fitted.batch_size * fitted.devices))))


def examine(before: Plan, after: Plan, footprint: Footprint, machine: Machine) -> list[str]:
    """Say what a plan needs, and what was changed to make it fit."""
    gib = 2**30
    lines = [
        f"needs    {needed_bytes(before, footprint, machine) / gib:.1f} GiB for {before.batch_size} clips of "
        f"{before.frames} × {before.crop_px} × {before.crop_px}"
    ]
    changes = [
        f"change   {name}: {getattr(before, name)} → {getattr(after, name)}"
        for name in Plan.__dataclass_fields__
        if getattr(before, name) != getattr(after, name)
    ]
    return lines + (changes or ["fits     as it is"])


def predict(plan: Plan, footprint: Footprint, machine: Machine, config: dict[str, Any]) -> list[str]:
    """Say how long a training takes, and what to do where nobody would wait for its end."""
    speed = machine.bf16_gflops if plan.precision.startswith("bf16") else machine.fp32_gflops
    flop = 3 * footprint.flop * (plan.crop_px / PROBE_PX) ** 2 * plan.batch_size * plan.accumulate
    seconds = flop / (speed * 1e9 * REACHED_SHARE) * (4 / 3 if plan.checkpointing else 1)
    where = " on each device" if plan.devices > 1 else ""
    line = f"takes    about {seconds:.{0 if seconds > 10 else 1}f} s a step{where}"
    max_steps = int(config["trainer"]["max_steps"])
    if max_steps < 1:
        return [line]
    hours = max_steps * seconds / 3600
    lines = [f"{line}, {_duration(hours)} for {max_steps:,} steps"]
    if hours > HOPELESS_HOURS:
        small = "" if config["model"]["network"] == SMALL_PRESET else f"choose the preset {SMALL_PRESET}, "
        device = "a GPU" if machine.accelerator == "cpu" else "more or faster GPUs"
        lines.append(
            f"hopeless on this machine: {small}train on one with {device}, or take fewer trainer.max_steps"
        )
    return lines


def missing_from(config: dict[str, Any]) -> list[str]:
    """Name what a configuration lacks, so that `fit` would refuse it at once."""
    lines = []
    loss = config["model"]["loss"]
    if loss["perceptual"] > 0 and (loss["vgg"] is None or not Path(loss["vgg"]).is_file()):
        found = "" if loss["vgg"] is None else f" ({loss['vgg']} is no file)"
        lines.append(
            f"missing  weights for the perceptual loss{found}: set model.loss.vgg to torchvision's "
            f"{VGG_FILE}, or model.loss.perceptual to 0"
        )
    if int(config["trainer"]["max_steps"]) < 1:
        lines.append("missing  how long to train: set trainer.max_steps")
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


def _duration(hours: float) -> str:
    if hours > 24 * 365:
        return f"{hours / 24 / 365:.1f} years"
    return f"{hours / 24:.0f} days" if hours > 24 * 4 else f"{hours:.1f} h"
