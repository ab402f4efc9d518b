"""`info`: what is at a path, and how each number about it is known.

`--json` prints one object; its keys stay as they are, new ones may be added:

    path, name, layout                       strings
    frames      count, height, width, bit_depth, gamma, gamma_known, virtual (made of spikes), reference
                (there is something to compare with)
    pace        frame_rate_hz, frame_rate ("30000/1001"), frame_rate_from ("video", "alignment log",
                "exposures"), frame_rate_is_even (false: an average), all null where nothing says it;
                sound_tracks
    windows     source ("log", "layout", "guess", "given"), planes: [start, stop] of every frame, or []
    recording   null, or path, format, height, width, planes, rate_hz, bytes, remainder_bytes,
                unwritten_planes (of zeros at the end, not counted), axes (null, or such as "HWT"), flip,
                msb_first, known_by: {height, width, planes, rate_hz, flip and, of an array, axes: how that
                is known}, warnings: [sentence],
                candidates: [{height, width, planes, remainder_bytes, score}], best first,
                density (spikes a pixel and plane), density_planes (how many planes it was measured on)
    pattern     null without a recording, or what is divided out of the spikes that frames are restored from:
                origin ("none": nothing is; "recording", "frames", "flat field"), file (null, or where it is
                from), spread (of the gain, where known), known (share of the pixels), windows (it was
                measured on), sha256 (of the values)
    findings    [sentence]: what is odd about the files
    remedies    [sentence]: what to do about each of them, in the same order
"""

from dataclasses import asdict
from typing import Any

import numpy as np

from engine.commands.outcome import Outcome, to_json
from engine.commands.pattern_facts import describe_pattern, pattern_line
from engine.frame_times import rate_facts
from engine.geometry import Span
from engine.recording import SpikeSource
from engine.sequence import Sequence, open_source
from engine.source import SequenceSource
from engine.voxels import window_counts

DENSITY_WINDOWS = 16
DENSITY_WINDOW_PLANES = 32
"""The density is measured on this sample, so that it costs the same on a recording of any length."""

SHOWN_CANDIDATES = 3


def describe(source: SequenceSource, *, as_json: bool) -> Outcome:
    """Open `source` and describe it as text or as JSON."""
    with open_source(source) as sequence:
        facts = _facts(sequence)
    return Outcome(to_json(facts) if as_json else _as_text(facts))


def _facts(sequence: Sequence) -> dict[str, Any]:
    findings = sequence.findings
    return {
        "path": sequence.source.path,
        "name": sequence.name,
        "layout": sequence.layout,
        "frames": {
            "count": len(sequence),
            "height": sequence.frame_size.height,
            "width": sequence.frame_size.width,
            "bit_depth": sequence.bit_depth,
            "gamma": float(sequence.gamma),
            "gamma_known": sequence.gamma_known,
            "virtual": sequence.is_virtual,
            "reference": sequence.has_reference,
        },
        "pace": {**rate_facts(sequence.frame_rate), "sound_tracks": sequence.sound_tracks},
        "windows": {
            "source": sequence.windows_source,
            "planes": [[float(window.start), float(window.stop)] for window in sequence.windows],
        },
        "recording": None if sequence.recording is None else _recording_facts(sequence.recording),
        "pattern": None if sequence.recording is None else describe_pattern(sequence.fixed_pattern),
        "findings": [str(finding) for finding in findings],
        "remedies": [finding.remedy for finding in findings],
    }


def _recording_facts(recording: SpikeSource) -> dict[str, Any]:
    info = recording.info
    density, density_planes = _density(recording)
    return {
        "path": str(info.path),
        "format": info.format,
        "height": info.height,
        "width": info.width,
        "planes": info.planes,
        "rate_hz": info.rate_hz,
        "bytes": info.bytes,
        "remainder_bytes": info.remainder_bytes,
        "unwritten_planes": info.unwritten_planes,
        "axes": info.axes,
        "flip": info.flip,
        "msb_first": info.msb_first,
        "known_by": dict(info.known_by),
        "warnings": [str(warning) for warning in info.warnings],
        "candidates": [
            {
                "height": candidate.size.height,
                "width": candidate.size.width,
                **{key: value for key, value in asdict(candidate).items() if key != "size"},
            }
            for candidate in info.candidates
        ],
        "density": density,
        "density_planes": density_planes,
    }


def _density(recording: SpikeSource) -> tuple[float, int]:
    """Return spikes a pixel and plane, and the number of planes in the sample they were counted in."""
    planes = recording.info.planes
    if planes <= DENSITY_WINDOWS * DENSITY_WINDOW_PLANES:
        spans = [Span(0, planes)]
    else:
        starts = np.linspace(0, planes - DENSITY_WINDOW_PLANES, DENSITY_WINDOWS).astype(int).tolist()
        spans = [Span(start, start + DENSITY_WINDOW_PLANES) for start in starts]
    spikes = sum(int(window_counts(recording, span.start, span.stop).sum(dtype=np.int64)) for span in spans)
    counted = sum(map(len, spans))
    return spikes / (counted * recording.info.size.pixels), counted


def _as_text(facts: dict[str, Any]) -> str:
    frames, windows, recording = facts["frames"], facts["windows"], facts["recording"]
    pace = facts["pace"]
    kind = "virtual frames" if frames["virtual"] else "frames"
    reference = "with a reference" if frames["reference"] else "no reference"
    lines = [
        ("Sequence", f"{facts['name']} ({facts['layout']} layout)"),
        (
            "Frames",
            f"{frames['count']} {kind} of {frames['height']} × {frames['width']}, {frames['bit_depth']} bit, "
            f"{reference}",
        ),
        ("Gamma", f"{frames['gamma']:g}" + ("" if frames["gamma_known"] else " (nobody said: assumed)")),
    ]
    if pace["frame_rate"] is not None:
        average = "" if pace["frame_rate_is_even"] else " on average"
        exact = f" ({pace['frame_rate']})" if "/" in pace["frame_rate"] else ""
        rate = f"{pace['frame_rate_hz']:.6g}{exact} frames a second{average}, from the "
        lines.append(("Pace", f"{rate}{pace['frame_rate_from']}"))
    if windows["planes"]:
        (first, _), (_, last) = windows["planes"][0], windows["planes"][-1]
        lines.append(("Windows", f"{_WINDOWS[windows['source']]}, planes {first:g} to {last:g}"))
    lines += _recording_lines(recording) if recording else [("Recording", "none")]
    if facts["pattern"]:
        lines.append(("Pattern", pattern_line(facts["pattern"])))
    lines += [
        ("Finding", f"{finding}. {remedy}")
        for finding, remedy in zip(facts["findings"], facts["remedies"], strict=True)
    ]
    return "\n".join(f"{label:<10} {text}" for label, text in lines)


_WINDOWS = {
    "log": "from the alignment log",
    "layout": "from the data set's layout",
    "guess": "guessed",
    "given": "as given",
}


def _recording_lines(recording: dict[str, Any]) -> list[tuple[str, str]]:
    known_by = recording["known_by"]

    def known(name: str) -> str:
        return f" ({known_by[name]})" if name in known_by else ""

    rate = recording["rate_hz"]
    rows = "bottom row first" if recording["flip"] else "top row first"
    if recording["msb_first"]:
        rows += ", most significant bit first"
    lines = [
        ("Recording", f"{recording['path']} ({recording['format']}, {recording['bytes']} bytes)"),
        (
            "Geometry",
            f"height {recording['height']}{known('height')}, width {recording['width']}{known('width')}, "
            f"{recording['planes']} planes{known('planes')}, {rows}{known('flip')}",
        ),
        ("Rate", "unknown" if rate is None else f"{rate:g} planes a second{known('rate_hz')}"),
        (
            "Density",
            f"{recording['density']:.4f} spikes a pixel and plane, over {recording['density_planes']} planes",
        ),
    ]
    if recording["remainder_bytes"]:
        lines.append(("Remainder", f"{recording['remainder_bytes']} bytes after the last whole plane"))
    return lines + [
        (
            "Candidate",
            f"{candidate['height']} × {candidate['width']}, {candidate['planes']} planes, "
            f"remainder {candidate['remainder_bytes']} bytes, score {candidate['score']:.3f}",
        )
        for candidate in recording["candidates"][:SHOWN_CANDIDATES]
    ]
