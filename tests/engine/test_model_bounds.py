"""Every number that a file claims about its network can be one, or the file is refused by its name."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from engine.errors import CheckpointError, EngineError
from engine.model import VRTConfig, VRTSpikeConfig, build, load_model
from engine.model.config import PRESETS, config_from_dict, config_to_dict
from engine.model_files import METADATA_KEY, describe_model
from engine.voxels import VoxelSpec

SPEC = VoxelSpec(bins=4)
CONFIG = VRTSpikeConfig(
    vrt=VRTConfig(
        window_size=(2, 4, 4),
        depths=(2,) * 7 + (1,),
        indep_reconsts=(),
        embed_dims=(8,) * 8,
        num_heads=(2,) * 8,
        deformable_groups=2,
        flow_widths=(4, 4, 4, 4),
    ),
    spike_bins=4,
    channels_per_scale=(8, 8, 8, 8),
)
PLAIN = json.loads(json.dumps(config_to_dict(CONFIG)))
SWITCHES = ("forward_flow", "spikes_at_entry", "from_ratio")
NEVER: tuple[Any, ...] = (
    None,
    "8",
    "",
    {},
    True,
    math.nan,
    math.inf,
    -math.inf,
    -1,
    -(10**9),
    1e9,
    10**9,
    10**400,
    -(10**400),
    1e308,
)
"""Values that no size takes, whatever its kind."""


def fields(values: dict[str, Any], place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every number of a configuration is, those in lists one by one."""
    for name, value in values.items():
        if name == "network" or name in SWITCHES:
            continue
        if isinstance(value, dict):
            yield from fields(value, (*place, name))
            continue
        yield (*place, name)
        if isinstance(value, list):
            yield from ((*place, name, at) for at in range(min(len(value), 2)))


def changed(place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    values = json.loads(json.dumps(PLAIN))
    inner = values
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return values


PLACES = list(fields(PLAIN))


def test_all_sizes_are_swept() -> None:
    names = {next(step for step in reversed(place) if isinstance(step, str)) for place in PLACES}
    own = {*VRTConfig.__dataclass_fields__, *VRTSpikeConfig.__dataclass_fields__} - {*SWITCHES, "vrt"}
    assert names == own


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
@pytest.mark.parametrize("value", NEVER, ids=lambda value: repr(value)[:12])
def test_a_value_that_no_size_takes_is_refused_by_name(place: tuple[Any, ...], value: Any) -> None:
    name = next(step for step in reversed(place) if isinstance(step, str))

    with pytest.raises(EngineError) as told:
        config_from_dict(changed(place, value))

    message = str(told.value)
    assert f"'{name}'" in message
    assert "\n" not in message
    assert len(message) < 400


@pytest.mark.parametrize(
    "place",
    [
        place
        for place in PLACES
        if not {"mutual_share", "mlp_ratio", "max_residue_px", "drop_path"} & {*place}
    ],
    ids=lambda place: ".".join(map(str, place)),
)
def test_fractions_are_no_whole_numbers(place: tuple[Any, ...]) -> None:
    name = next(step for step in reversed(place) if isinstance(step, str))
    with pytest.raises(EngineError, match=f"'{name}'"):
        config_from_dict(changed(place, 1.5))


@pytest.mark.parametrize("value", ["no", "false", 0, 1, None, [], math.nan])
@pytest.mark.parametrize("name", SWITCHES)
def test_switches_are_true_or_false(name: str, value: object) -> None:
    place = ("vrt", name) if name == "forward_flow" else (name,)
    with pytest.raises(EngineError, match=f"'{name}'.*true or false"):
        config_from_dict(changed(place, value))


def test_lists_of_any_length_are_refused_where_it_is_another() -> None:
    for place in PLACES:
        if isinstance(place[-1], int) or place[-1] in ("indep_reconsts",):
            continue
        for value in ([], [4] * 3000):
            with pytest.raises(EngineError, match=f"'{place[-1]}'"):
                config_from_dict(changed(place, value))


def test_whole_numbers_may_be_written_with_a_point() -> None:
    assert config_from_dict(changed(("temporal_stride",), 1.0)) == CONFIG
    assert config_from_dict(PLAIN) == CONFIG
    for config in PRESETS.values():
        assert config_from_dict(json.loads(json.dumps(config_to_dict(config)))) == config


# ------------------------------------------------------------------ voxels


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in ("bins", "std") for value in (*NEVER, 0, [1])),
        *(("mean", value) for value in (*NEVER, [1]) if value != -1),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_numbers_of_voxels_have_bounds(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name} ") as told:
        VoxelSpec(**{name: value})
    assert len(str(told.value)) < 200


@pytest.mark.parametrize("name", ["mean", "std"])
def test_voxels_in_use_are_within_them(name: str) -> None:
    for value in (0.05, 0.5, 0.55, 1, 20.7):
        assert getattr(VoxelSpec(**{name: value}), name) == value


@pytest.mark.parametrize("transform", [None, 3, [], {}, "LOG1P", "x" * 1000])
def test_transforms_have_names(transform: Any) -> None:
    with pytest.raises(ValueError, match="there is no transform"):
        VoxelSpec(transform=transform)


# ------------------------------------------------------------------ whole files


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(4)
    return dict(build(CONFIG).state_dict())


def write(path: Path, state: dict[str, torch.Tensor], **changes: Any) -> Path:
    about = {
        "format_version": 1,
        "config": PLAIN,
        "voxel_spec": {"bins": 4, "transform": "log1p", "mean": 0.0, "std": 1.0},
        "card": {"name": "x"},
    }
    safetensors.torch.save_file(state, path, {METADATA_KEY: json.dumps({**about, **changes})})
    return path


@pytest.mark.parametrize(
    "value", [None, "1", True, 0, -3, 1.0, math.nan, math.inf, [], 10**400], ids=lambda v: repr(v)[:9]
)
def test_versions_are_whole_numbers(value: Any, state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"x\.safetensors: ") as told:
        load_model(write(tmp_path / "x.safetensors", state, format_version=value))
    assert "format" in str(told.value)
    assert len(str(told.value)) < 500


@pytest.mark.parametrize(
    "voxels",
    [
        {"mean": 1e9},
        {"std": 0},
        {"std": math.nan},
        {"bins": -4},
        {"bins": 10**9},
        {"unknown": 1},
        [],
        "log1p",
        3,
    ],
    ids=str,
)
def test_voxels_of_a_file_are_refused_in_one_line(
    voxels: Any, state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    if isinstance(voxels, dict):
        voxels = {"bins": 4, **voxels}
    with pytest.raises(CheckpointError, match=r"x\.safetensors: what the file says") as told:
        load_model(write(tmp_path / "x.safetensors", state, voxel_spec=voxels))
    assert "\n" not in str(told.value)
    if isinstance(voxels, dict):
        assert next(name for name in reversed(voxels)) in str(told.value)


CLAIMS: list[dict[str, Any]] = [
    {"depths": [256] * 8},
    {"depths": [2] * 7 + [1] * 200},
    {"window_size": [2, 64, 64]},
    {"window_size": [64, 8, 8]},
    {"window_size": [2, 8, 8]},
    {"num_heads": [8] * 8},
    {"embed_dims": [8192] * 8},
    {"deformable_groups": 8},
    {"flow_widths": [8192] * 4},
    {"mlp_ratio": 64},
    {"fold": 4},
    {"mutual_share": 1.0},
]


@pytest.mark.parametrize("claim", CLAIMS, ids=str)
def test_claims_that_the_weights_do_not_bear_take_no_memory(
    claim: dict[str, Any], state: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: set[str] = set()
    register = torch.nn.Module.register_parameter

    def noted(module: torch.nn.Module, name: str, parameter: torch.nn.Parameter | None) -> None:
        if parameter is not None:
            made.add(parameter.device.type)
        register(module, name, parameter)

    monkeypatch.setattr(torch.nn.Module, "register_parameter", noted)
    path = write(tmp_path / "x.safetensors", state, config={**PLAIN, "vrt": {**PLAIN["vrt"], **claim}})

    with pytest.raises(CheckpointError, match=r"x\.safetensors: ") as told:
        load_model(path)

    assert made <= {"meta"}
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "card",
    [
        [1, 2],
        None,
        "x",
        {"name": 5},
        {"name": "x", "scores": []},
        {"name": "x", "training": "none"},
        {"name": "x", "origin": None},
        {"name": "x", "extra": 1},
        {},
    ],
    ids=str,
)
def test_cards_of_another_form_are_refused(card: Any, state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", state, card=card)
    with pytest.raises(CheckpointError, match=r"x\.safetensors: "):
        load_model(path)
    if card != {}:
        with pytest.raises(CheckpointError, match="card"):
            describe_model(path)


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 1e300, -(10**400)], ids=lambda v: repr(v)[:9]
)
@pytest.mark.parametrize("place", ["scores.val/psnr", "training.steps", "scores.regimes.dim.network"])
def test_numbers_of_a_card_that_cannot_be_are_named_and_left_out(
    place: str, value: Any, state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    card: dict[str, Any] = {
        "name": "x",
        "training": {"steps": 10},
        "scores": {"val/psnr": 30.5, "regimes": {"dim": {"network": [20.0, 0.5], "blurry": [1.0, 0.5]}}},
    }
    top, _, rest = place.partition(".")
    if rest.startswith("regimes"):
        card["scores"]["regimes"]["dim"]["network"][0] = value
    else:
        card[top][rest] = value
    path = write(tmp_path / "x.safetensors", state, card=card)

    loaded = load_model(path)
    described = describe_model(path)
    shown = " ".join(described.lines)

    (finding,) = loaded.findings
    assert place in finding
    assert described.findings == loaded.findings
    assert "nan dB" not in shown
    assert "inf dB" not in shown
    assert json.dumps([loaded.card.training, loaded.card.scores], allow_nan=False)


def test_steps_below_0_are_named(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", state, card={"name": "x", "training": {"steps": -5}})
    assert "training.steps -5" in load_model(path).findings[0]
