"""Methods of packages on the command line: listed, used, and told about where they are broken."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.cli import main
from engine.errors import MethodError
from engine.model_description import ModelDescription
from engine.recording import write_packed
from engine.restoration.method_description import MethodDescription
from engine.restoration.methods import Method, make_method
from engine.restoration.offered_methods import offered_methods

GROUP = "spike_deblur.methods"
HEIGHT, WIDTH, FRAMES, EXPOSURE = 24, 32, 3, 16


@pytest.fixture
def planes():
    random = np.random.default_rng(3)
    return (random.random((FRAMES * EXPOSURE, HEIGHT, WIDTH)) < 0.3).astype(np.uint8)


@pytest.fixture
def clip(tmp_path, planes):
    random = np.random.default_rng(8)
    for folder in ("blur", "sharp"):
        (tmp_path / "clip" / folder).mkdir(parents=True)
        for index in range(FRAMES):
            levels = random.integers(0, 120, (HEIGHT, WIDTH, 3), dtype=np.uint8)
            Image.fromarray(levels).save(tmp_path / "clip" / folder / f"{index:04d}.png")
    write_packed(tmp_path / "clip" / "spike.dat", planes)
    text = f"spike_h: {HEIGHT}\nspike_w: {WIDTH}\nspike_rate_hz: 1000\n"
    (tmp_path / "clip" / "config.yaml").write_text(text)
    return tmp_path / "clip"


def written(path):
    return np.asarray(Image.open(path)).astype(int)


def middle_tfp(planes, clip, frame):
    """Count by hand what the spikes saw in the middle quarter of an exposure, as bright as the frame."""
    middle = planes[frame * EXPOSURE + 6 : frame * EXPOSURE + 10].sum(axis=0)
    blurry = written(clip / "blur" / f"{frame:04d}.png") / 255
    return np.clip(middle * blurry.mean() / middle.mean(), 0, 1) * 255


def run(*words, capsys):
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


# ------------------------------------------------------------------ used


def test_restore_and_evaluate_use_the_method_of_a_package(packages, clip, planes, tmp_path, capsys):
    packages.install_lab_method()

    status, _, error = run(
        "restore", clip, "--method", "middle-tfp", "--out", tmp_path / "out", capsys=capsys
    )

    assert (status, error) == (0, "")
    for frame in range(FRAMES):
        picture = written(tmp_path / "out" / f"{frame:04d}.png")
        expected = middle_tfp(planes, clip, frame)
        np.testing.assert_allclose(picture, np.repeat(expected[..., None], 3, axis=2), atol=0.6)
    report = json.loads((tmp_path / "out" / "restore.json").read_text())
    assert (report["method"], report["made_from"]["method_package"]) == ("middle-tfp", "lab-method 1.0")

    words = ("evaluate", clip, "--method", "middle-tfp", "--compare", "spike-ratio", "--json")
    status, out, _ = run(*words, capsys=capsys)
    assert (status, json.loads(out)["method"]) == (0, "middle-tfp")
    words = ("evaluate", clip, "--method", "spike-ratio", "--compare", "middle-tfp", "--json")
    status, out, _ = run(*words, capsys=capsys)
    assert (status, json.loads(out)["compared"][0]["name"]) == (0, "middle-tfp")
    assert len(json.loads(out)["compared"][0]["frames"]) == FRAMES


def test_a_method_takes_the_models_that_it_says(packages, clip, tmp_path, capsys):
    packages.install_lab_method()
    gain = tmp_path / "bright.gain"
    gain.write_text("gain 1.5")
    out = tmp_path / "out"

    words = ("restore", clip, "--method", "brighten", "--model", gain, "--out", out)
    status, _, error = run(*words, capsys=capsys)

    assert (status, error) == (0, "")
    blurry = written(clip / "blur" / "0001.png")
    np.testing.assert_allclose(written(out / "0001.png"), blurry * 1.5, atol=0.6)
    report = json.loads((out / "restore.json").read_text())
    assert report["made_from"]["model_sha256"]
    assert report["layout"]["clip_frames"] == FRAMES  # of 4, which its description says
    assert report["layout"]["overlap_px"] == 2

    (tmp_path / "dim.gain").write_text("gain 0.5")
    compared = ("evaluate", clip, "--method", "brighten", "--model", gain, "--json", "--compare")
    status, told, _ = run(*compared, tmp_path / "dim.gain", capsys=capsys)
    assert (status, json.loads(told)["compared"][0]["name"]) == (0, str(tmp_path / "dim.gain"))

    gain.write_text("no gain at all")
    status, _, error = run(*words, "--overwrite", capsys=capsys)
    assert status == 1
    assert "this is no gain" in error or "cannot be used" in error
    status, _, error = run("restore", clip, "--method", "brighten", "--out", out, capsys=capsys)
    assert (status, "needs a model" in error, ".gain" in error) == (1, True, True)
    words = ("restore", clip, "--method", "middle-tfp", "--model", gain, "--out", out)
    status, _, error = run(*words, capsys=capsys)
    assert (status, "takes no model" in error) == (1, True)


def test_it_works_in_a_program_of_its_own_without_anything_installed(packages, clip, tmp_path):
    packages.install_lab_method()
    command = [sys.executable, "-m", "engine", "restore", str(clip), "--method", "middle-tfp"]
    ended = subprocess.run(
        [*command, "--out", str(tmp_path / "out")], capture_output=True, text=True, timeout=300, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(list((tmp_path / "out").glob("*.png"))) == FRAMES


# ------------------------------------------------------------------ listed


@pytest.mark.parametrize("command", ["restore", "batch", "evaluate"])
def test_help_lists_what_there_is(command, packages, capsys):
    packages.install_lab_method()
    main([command, "--help"])
    lines = capsys.readouterr().out.partition("\nmethods:\n")[2].strip().splitlines()
    names = [line.split()[0] for line in lines]
    assert names == ["spike-ratio", "network", "brighten", "middle-tfp"]
    assert lines[3].endswith("the spikes of the middle quarter of an exposure, as a picture (lab-method 1.0)")


def test_an_unknown_name_gives_the_list(packages, clip, tmp_path, capsys):
    packages.install_lab_method()
    status, _, error = run("restore", clip, "--method", "magic", "--out", tmp_path / "o", capsys=capsys)
    assert status == 1
    assert "there is no method 'magic' (expected spike-ratio, network, brighten or middle-tfp)" in error


NOTHING_IMPORTED = """
import sys
from engine.cli import main
main({words!r})
loaded = [name for name in ("lab_method", "lab_method.restoring", "torch") if name in sys.modules]
print("LOADED", loaded, "importlib.metadata" in sys.modules)
"""


@pytest.mark.parametrize(
    ("words", "loaded"),
    [
        (["--help"], "[] False"),
        (["info", "--help"], "[] False"),
        (["restore", "--help"], "['lab_method'] True"),
    ],
)
def test_nothing_is_looked_for_before_it_is_asked_for(words, loaded, packages):
    packages.install_lab_method()
    program = NOTHING_IMPORTED.format(words=words)
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.stdout.splitlines()[-1] == f"LOADED {loaded}"


def test_the_names_of_methods_are_known_without_importing_a_package(packages):
    packages.install("eager", f"[{GROUP}]\neager = eager:METHOD\n", modules={"eager": "raise SystemExit(3)"})
    assert [offer.name for offer in offered_methods()] == ["spike-ratio", "network", "eager"]
    assert "eager" not in sys.modules


def test_the_project_declares_its_own_methods():
    pyproject = Path(__file__).parents[2] / "pyproject.toml"
    project = tomllib.loads(pyproject.read_text("utf-8"))["project"]
    declared = project["entry-points"][GROUP]
    assert declared == {offer.name: offer.place for offer in offered_methods() if offer.package is None}
    for offer in offered_methods()[:2]:
        assert offer.load().name == offer.name


# ------------------------------------------------------------------ broken

FINE = """
from engine.model_description import ModelDescription
from engine.restoration.method_description import MethodDescription

def describe(model):
    return {described}

METHOD = MethodDescription(
    name={name!r}, title="T", summary="S", describe=describe, factory={factory!r}
)
"""
DESCRIBED = "ModelDescription(kind='broken', title='T', fewest_planes=0)"


def fine(name="broken", factory="broken_factory:make", described=DESCRIBED):
    return FINE.format(name=name, factory=factory, described=described)


METHOD_OF = """
import numpy as np
from engine.restoration.methods import Method

class Made(Method):
    def prepare(self, sequence, clip, wanted):
        return np.stack([sequence.frame(moment.frame) for moment in wanted])
    def restore(self, prepared, region):
        return {restored}

def make(model, device, precision):
    return Made()
"""

BROKEN = {
    "import error": ({"broken": "import a_library_that_is_not_there"}, "ModuleNotFoundError"),
    "syntax": ({"broken": "METHOD = ("}, "SyntaxError"),
    "leaves the program": ({"broken": "import sys; sys.exit(7)"}, "SystemExit"),
    "no such object": ({"broken": "OTHER = 1"}, "AttributeError"),
    "wrong type": ({"broken": "METHOD = 'a text'"}, "not a MethodDescription"),
    "wrong field": ({"broken": fine(factory="nothing")}, "ValueError: factory must be"),
    "other name": ({"broken": fine(name="other")}, "it calls itself 'other'"),
    "no factory": ({"broken": fine()}, "No module named 'broken_factory'"),
    "factory raises": (
        {"broken": fine(), "broken_factory": "def make(*_):\n    raise KeyError('weights')"},
        "KeyError: 'weights'",
    ),
    "factory leaves": (
        {"broken": fine(), "broken_factory": "def make(*_):\n    raise SystemExit"},
        "SystemExit",
    ),
    "factory is none": ({"broken": fine(), "broken_factory": "make = 5"}, "is a int, not a function"),
    "no method": ({"broken": fine(), "broken_factory": "def make(*_):\n    return 5"}, "a int, not a Method"),
    "abstract": (
        {
            "broken": fine(),
            "broken_factory": "from engine.restoration.methods import Method\nclass make(Method):\n"
            "    def __init__(self, *_): pass",
        },
        "abstract",
    ),
    "describe raises": (
        {"broken": fine(described="1 / 0"), "broken_factory": METHOD_OF},
        "ZeroDivisionError",
    ),
    "describes something else": ({"broken": fine(described="{}"), "broken_factory": METHOD_OF}, "dict"),
    "numbers that cannot be": (
        {"broken": fine(described="ModelDescription(kind='b', title='t', clip_frames=0)")},
        "",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_package_is_one_line_and_the_others_go_on(kind, packages, clip, tmp_path, capsys):
    modules, said = BROKEN[kind]
    packages.install("broken-lab", f"[{GROUP}]\nbroken = broken:METHOD\n", "2.5", modules)
    packages.install_lab_method()

    out = tmp_path / "out"
    status, _, error = run("restore", clip, "--method", "broken", "--out", out, capsys=capsys)

    (line,) = error.strip().splitlines()
    assert status == 1
    assert "the method broken of broken-lab 2.5 cannot be used" in line
    assert said in line
    assert "Traceback" not in line
    assert not out.exists()
    assert run("restore", clip, "--method", "middle-tfp", "--out", out, capsys=capsys)[0] == 0
    main(["restore", "--help"])
    assert "middle-tfp" in capsys.readouterr().out


RESTORED = {
    "whole frames": ("prepared", "gave something else than pictures"),
    "one frame": ("prepared[(0, *region.slices)]", "gave something else than pictures"),
    "levels": ("(prepared[(slice(None), *region.slices)] * 255).astype(np.uint8)", "uint8"),
    "to 255": ("prepared[(slice(None), *region.slices)] * 255", "far beyond white"),
    "no numbers": ("prepared[(slice(None), *region.slices)] * np.nan", "not numbers"),
    "nothing": ("None", "gave something else than pictures"),
    "fails": ("{}['x']", "KeyError"),
}


@pytest.mark.parametrize("kind", RESTORED)
def test_what_is_no_picture_is_refused_in_one_line(kind, packages, clip, tmp_path, capsys):
    restored, said = RESTORED[kind]
    modules = {"broken": fine(), "broken_factory": METHOD_OF.format(restored=restored)}
    packages.install("broken-lab", f"[{GROUP}]\nbroken = broken:METHOD\n", modules=modules)
    words = ("restore", clip, "--method", "broken", "--tile", 16, "--out", tmp_path / "out")
    status, _, error = run(*words, capsys=capsys)
    (line,) = error.strip().splitlines()
    assert status == 1
    assert said in line
    assert not list((tmp_path / "out").glob("*.png"))


@pytest.mark.parametrize("text", ["no section\n", f"[{GROUP}]\nno equals sign\n", f"[{GROUP}]\nbroken = \n"])
def test_metadata_that_cannot_be_read_cost_only_themselves(text, packages, clip, tmp_path, capsys):
    packages.install("unreadable", text)
    packages.install_lab_method()
    main(["restore", "--help"])
    assert "middle-tfp" in capsys.readouterr().out
    status, _, _ = run("restore", clip, "--method", "middle-tfp", "--out", tmp_path / "o", capsys=capsys)
    assert status == 0


def test_a_name_that_is_taken_is_told_and_nobodys(packages, capsys):
    packages.install_lab_method()
    packages.install("thief", f"[{GROUP}]\nnetwork = thief:A\nmiddle-tfp = thief:B\n")
    by_name = {(offer.name, offer.package): offer for offer in offered_methods()}
    assert by_name["network", None].problem == ""
    assert "the program has one of this name" in by_name["network", "thief 1.0"].problem
    with pytest.raises(MethodError, match=r"offered by thief 1\.0 and lab-method 1\.0"):
        make_method("middle-tfp")
    main(["restore", "--help"])
    out = capsys.readouterr().out
    assert "cannot be used: the method network of thief 1.0 is not used" in out
    assert "brighten" in out


def test_a_package_that_is_on_the_path_twice_offers_its_methods_once(packages, tmp_path):
    packages.install_lab_method()
    (tmp_path / "again").mkdir()
    packages._folder = tmp_path / "again"
    packages.install("lab_method", f"[{GROUP}]\nmiddle-tfp = elsewhere:B\n", "0.9")
    offers = [offer for offer in offered_methods() if offer.name == "middle-tfp"]
    assert [offer.problem for offer in offers] == [""]


@pytest.mark.parametrize("name", ["with space", "../up", "ü", "a/b"])
def test_a_name_that_is_none_is_told(name, packages):
    packages.install("odd", f"[{GROUP}]\n{name} = odd:METHOD\n")
    assert "a name that is none" in offered_methods()[-1].problem


# ------------------------------------------------------------------ descriptions


def test_a_method_that_needs_a_log_refuses_windows_that_are_guessed(packages, clip, tmp_path, capsys):
    described = "ModelDescription(kind='broken', title='T', needs_log=True)"
    cut = METHOD_OF.format(restored="prepared[(slice(None), *region.slices)] * 0.5")
    modules = {"broken": fine(described=described), "broken_factory": cut}
    packages.install("logging-lab", f"[{GROUP}]\nbroken = broken:METHOD\n", modules=modules)
    words = ("restore", clip, "--method", "broken", "--out", tmp_path / "out", "--overwrite")
    status, _, error = run(*words, capsys=capsys)
    assert (status, "--alignment" in error) == (1, True)
    log = "frame_idx,t0,t1,event_count,seq\n"
    log += "".join(f"{i},{i * 0.016:.4f},{(i + 1) * 0.016:.4f},1,a\n" for i in range(FRAMES))
    (tmp_path / "alignment.csv").write_text(log)
    status, _, error = run(*words, "--alignment", tmp_path / "alignment.csv", capsys=capsys)
    assert (status, error) == (0, "")


def test_a_method_that_describes_itself_is_believed():
    class Own(Method):
        def __init__(self):
            self.follow(ModelDescription(kind="own", title="Own", clip_frames=7, moments="any"))

        def prepare(self, *_):
            return None

        def restore(self, *_):
            raise NotImplementedError

    assert (Own().clip_frames, Own().moments, Own().description.title) == (7, "any", "Own")


@pytest.mark.parametrize(
    "wrong",
    [
        {"clip_frames": 0},
        {"clip_overlap": 1},
        {"clip_overlap": -1, "clip_frames": 4},
        {"multiple_px": 0},
        {"overlap_px": 1.5},
        {"default_tile_px": 0},
        {"fewest_planes": True},
        {"margin_frames": -1},
        {"moments": "often"},
    ],
    ids=str,
)
def test_numbers_that_contradict_each_other_are_refused(wrong):
    with pytest.raises(ValueError, match="|".join([*wrong, "share"])):
        ModelDescription(kind="x", title="x", **wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a b"},
        {"title": " "},
        {"summary": None},
        {"factory": "module"},
        {"describe": None},
        {"model_suffixes": ".pth"},
        {"model_suffixes": ("pth",)},
        {"needs_model": True},
    ],
    ids=str,
)
def test_a_description_with_a_wrong_field_is_refused(wrong):
    right = {"name": "x", "title": "X", "summary": "x", "factory": "a.b:c", "describe": print}
    MethodDescription(**right)
    with pytest.raises(ValueError, match=r"must|needs"):
        MethodDescription(**{**right, **wrong})
