"""What the methods are. Imported by the window, too, so there is no torch here."""

from pathlib import Path

from engine.errors import CheckpointError
from engine.model_description import ModelDescription
from engine.restoration.method_description import MethodDescription


def describe_middle_tfp(_model: str | None) -> ModelDescription:
    return ModelDescription(
        kind="middle-tfp",
        title="Middle TFP",
        lines=("What the spikes saw in the middle quarter of an exposure, in grey",),
        fewest_planes=4,
    )


def describe_brighten(model: str | None) -> ModelDescription:
    """Read the gain that is all there is to a model, a line such as `gain 1.5`."""
    assert model is not None
    try:
        word, gain = Path(model).read_text("utf-8").split()
        lines = (f"{word} {float(gain):g}",)
    except (OSError, ValueError) as error:
        raise CheckpointError("this is no gain", path=model, found=str(error)) from error
    return ModelDescription(
        kind="brighten",
        title=Path(model).stem,
        lines=lines,
        fewest_planes=0,
        clip_frames=4,
        clip_overlap=1,
        overlap_px=2,
        default_tile_px=16,
    )


MIDDLE_TFP = MethodDescription(
    name="middle-tfp",
    title="Middle TFP",
    summary="the spikes of the middle quarter of an exposure, as a picture",
    describe=describe_middle_tfp,
    factory="lab_method.restoring:make_middle_tfp",
)
BRIGHTEN = MethodDescription(
    name="brighten",
    title="Brighten",
    summary="frames times a gain",
    describe=describe_brighten,
    factory="lab_method.restoring:Brighten",
    model_suffixes=(".gain",),
    needs_model=True,
)
