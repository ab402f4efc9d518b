"""`python -m training export`: turn a training checkpoint into a model file for the engine and the studio."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import yaml

from engine.errors import CheckpointError, EngineError, ModelError
from engine.model.checkpoint import (
    ModelCard,
    build,
    check_claim,
    load_model,
    load_weights,
    save_model,
)
from engine.model.config import VRTSpikeConfig, config_from_dict
from engine.model.files import is_safetensors
from engine.model.weight_files import read_pickle
from engine.voxels import VoxelSpec
from training.console import PROGRAM, OneLineParser, check_may_write
from training.task import CHECKPOINT_KEY

LICENCE = "Apache-2.0"
NETWORK_PREFIX = "network."
LAST_LAYER = "last_convolution."
"""What it computes is added to the picture that the network starts from."""


@dataclass(frozen=True)
class TrainedModel:
    """What a checkpoint of a run holds."""

    config: Mapping[str, Any]
    voxels: VoxelSpec
    weights: Mapping[str, torch.Tensor]
    """The running average of the weights where the run kept one: it is what was validated."""
    steps: int
    scores: Mapping[str, float]


def build_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog=f"{PROGRAM} export",
        description=(
            "Write the network of a checkpoint as .safetensors with its configuration, its voxel "
            "specification and a card that says how it was trained and what it scored."
        ),
    )
    parser.add_argument("checkpoint", type=Path, help="best.ckpt or last.ckpt of a run")
    parser.add_argument("out", type=Path, help="file to write, ending in .safetensors")
    parser.add_argument("--overwrite", action="store_true", help="replace the file where it is there already")
    parser.add_argument("--name", help="of the model (default: the name of the file)")
    parser.add_argument("--origin", default="", help="who trained it, in a sentence")
    parser.add_argument("--data", default="", help="what it was trained on, in a sentence")
    parser.add_argument("--licence", default=LICENCE)
    parser.add_argument(
        "--scores",
        type=Path,
        help="YAML or JSON file with a table of scores for the card (default: validation)",
    )
    parser.add_argument(
        "--correction",
        type=_share,
        default=1.0,
        metavar="SHARE",
        help="how much of what the network adds to its first estimate is kept, above 0 and up to 1: less "
        "where real sensors differ from the simulated ones (default: 1)",
    )
    parser.add_argument("--note", default="", help="anything else worth knowing")
    return parser


def run(given: Sequence[str]) -> str:
    """Export what the arguments (after the command's name) ask for. Raises EngineError."""
    options = build_parser().parse_args(given[1:])
    if not is_safetensors(options.out):
        raise EngineError("the file to write must end in .safetensors", path=options.out)
    check_may_write(options.out, overwrite=options.overwrite)
    trained = read_checkpoint(options.checkpoint)
    training: dict[str, Any] = {
        "steps": trained.steps,
        "data": options.data,
        "options": run_options(options.checkpoint.parent),
    }
    if options.correction < 1:
        trained = replace(trained, weights=keep_of_correction(trained.weights, options.correction))
        training["correction"] = options.correction
    if options.note:
        training["note"] = options.note
    card = ModelCard(
        name=options.name or options.out.stem,
        origin=options.origin,
        licence=options.licence,
        training=training,
        scores=_read_scores(options.scores) if options.scores else dict(trained.scores),
    )
    try:
        return export(trained, options.out, card)
    except ModelError as error:
        if error.path is not None:
            raise
        raise EngineError(
            error.problem,
            path=options.checkpoint,
            found=error.found,
            expected=error.expected,
            advice=error.advice,
        ) from error


def read_checkpoint(path: Path) -> TrainedModel:
    """Read the network out of a run's checkpoint. Raises EngineError when there is none in it."""
    advice = "Give best.ckpt or last.ckpt of a run of `python -m training fit`"
    try:
        content = read_pickle(path)
    except CheckpointError as error:
        raise EngineError(
            "cannot be read as a checkpoint", path=path, found=error.found or error.problem, advice=advice
        ) from error
    try:
        told = content[CHECKPOINT_KEY]
        weights = {
            name.removeprefix(NETWORK_PREFIX): value
            for name, value in content["state_dict"].items()
            if name.startswith(NETWORK_PREFIX) and isinstance(value, torch.Tensor)
        }
        return TrainedModel(
            told["network"],
            VoxelSpec.told(told["voxels"]),
            weights,
            int(content["global_step"]),
            {name: float(value) for name, value in told["scores"].items()},
        )
    except KeyError as error:
        raise _no_run(path, f"no {error}", advice) from error
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise _no_run(path, " ".join(str(error).split())[:160], advice) from error


def _no_run(path: Path, found: str, advice: str) -> EngineError:
    return EngineError("this is not a checkpoint of a training run", path=path, found=found, advice=advice)


def keep_of_correction(weights: Mapping[str, torch.Tensor], share: float) -> dict[str, torch.Tensor]:
    """Return weights of a network that adds only this share of its correction to its first estimate.

    A network that was fitted to one kind of data is surer of itself than it should be on another. Shrinking
    its correction costs (1 - share)² of the correction's mean square on the data it was fitted to.
    """
    return {name: value * share if LAST_LAYER in name else value for name, value in weights.items()}


def export(trained: TrainedModel, out: Path, card: ModelCard) -> str:
    """Write a model file and read it back; return what was written, in a sentence. Raises EngineError."""
    config = config_from_dict(trained.config)
    check_claim(config, trained.weights)
    model = build(config)
    load_weights(model, trained.weights)
    save_model(out, model.eval(), trained.voxels if isinstance(config, VRTSpikeConfig) else None, card)
    loaded = load_model(out)
    parameters = sum(parameter.numel() for parameter in loaded.model.parameters())
    size_mb = out.stat().st_size / 1e6
    return f"{out}: {parameters / 1e6:.2f} M parameters, {size_mb:.1f} MB, {trained.steps} steps"


def run_options(folder: Path) -> dict[str, Any]:
    """Return the options that a run was started with, which Lightning keeps beside its checkpoints."""
    path = folder / "config.yaml"
    try:
        options = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError):
        return {}
    kept = ("model", "data", "average", "trainer") if isinstance(options, dict) else ()
    return {part: _told(options[part]) for part in kept if part in options}


def _told(value: Any) -> Any:
    """Leave out what was not set."""
    if isinstance(value, dict):
        return {name: _told(inner) for name, inner in value.items() if inner is not None}
    return value


def _share(text: str) -> float:
    share = float(text)
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and up to 1")
    return share


def _read_scores(path: Path) -> dict[str, Any]:
    try:
        scores = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise EngineError(f"cannot read the scores: {error}", path=path) from error
    if not isinstance(scores, dict):
        raise EngineError("the scores must be a table of names and values", path=path)
    return scores
