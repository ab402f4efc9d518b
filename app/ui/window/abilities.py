"""Which actions can be done now."""

from app.state.studio import Studio
from app.ui.alignment.alignment_commands import alignment_abilities
from app.ui.panes.compare_commands import compare_abilities

WITH_SEQUENCE = (
    "previous",
    "next",
    "first",
    "last",
    "back",
    "forward",
    "play",
    "faster",
    "slower",
    "set_in",
    "set_out",
    "clear_range",
    "export",
    "save_panes",
    "copy_panes",
    "fit",
    "actual_size",
    "zoom_in",
    "zoom_out",
    "findings",
    "close",
    "add_spikes",
    "add_reference",
)
WITH_SPIKES = (
    "add_alignment",
    "recording",
    "code_values",
    "linear_light",
    "next_bin",
    "previous_bin",
    "play_bins",
    "show_voxel",
)


def abilities_of(studio: Studio) -> dict[str, bool]:
    """Return for the actions that depend on a sequence whether they can be done."""
    sequence = studio.session.sequence
    has_spikes = sequence is not None and sequence.recording is not None
    return {
        **dict.fromkeys(WITH_SEQUENCE, sequence is not None),
        **dict.fromkeys(WITH_SPIKES, has_spikes),
        **dict.fromkeys(("deblur_visible", "deblur_frame", "deblur_all"), studio.can_deblur),
        "deblur_range": studio.can_deblur and studio.position.has_range,
        "reading": (studio.session.source or studio.session.refused) is not None,
        "keep_pattern": studio.sensor.can_be_kept,
        "use_pattern": studio.sensor.can_be_kept and studio.desk.kept_patterns.is_there,
        "cancel": studio.can_cancel,
        "export_frame": studio.can_export_frame,
        "export_all": studio.can_export_all,
        **alignment_abilities(studio.alignment),
        **compare_abilities(studio),
    }
