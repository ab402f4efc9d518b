"""Names of exported files from a template such as `{name}_{method}` or `frame_{number:05d}`."""

import os
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

USUAL_TEMPLATE = "{name}"
FORBIDDEN = set('<>:"|?*\\') | {chr(code) for code in range(32)}
LONGEST_NAME_BYTES = 240
FIELDS = ("name", "sequence", "number", "index", "method", "time_ms")


class TemplateError(ValueError):
    """A template that gives no file names; its text says what to do."""


@dataclass(frozen=True)
class FrameFacts:
    """What a file name can say of a frame."""

    name: str
    """As the input file is called."""
    sequence: str
    index: int
    """Counted from 0; `number` is one more."""
    method: str
    time_ms: float
    """Middle of the exposure; 0 where the rate of the recording is not known."""

    @property
    def values(self) -> Mapping[str, object]:
        own = {field: getattr(self, field) for field in FIELDS if field != "number"}
        return {**own, "number": self.index + 1}


def file_name(template: str, facts: FrameFacts, suffix: str) -> str:
    """Return the file name, perhaps within folders, of one frame. Raises TemplateError."""
    values = facts.values
    pieces = []
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise TemplateError(f"The braces do not match ({error}). Write {{{{ for a brace itself.") from error
    for text, field, form, conversion in parsed:
        pieces.append(text)
        if field is None:
            continue
        if field not in values or conversion:
            raise TemplateError(f"There is no {{{field}}}. There are: {', '.join(FIELDS)}.")
        if sum(int(number) for number in re.findall(r"\d+", form or "")) > LONGEST_NAME_BYTES:
            raise TemplateError(f"{{{field}:{form}}} is too long for a file.")
        try:
            pieces.append(format(values[field], form or ""))
        except ValueError as error:
            raise TemplateError(f"{{{field}:{form}}} cannot be written ({error}).") from error
    name = "".join(pieces).strip()
    parts = name.split("/")
    if not name or any(part in ("", ".", "..") for part in parts):
        raise TemplateError("This gives no file name.")
    wrong = sorted(FORBIDDEN & set(name))
    if wrong:
        raise TemplateError(f"File names cannot have {' '.join(wrong)}.")
    if len(os.fsencode(parts[-1])) > LONGEST_NAME_BYTES:
        raise TemplateError("This name is too long for a file.")
    return name + suffix


def file_paths(folder: Path, template: str, frames: Sequence[FrameFacts], suffix: str) -> dict[int, Path]:
    """Return every frame's file by its index. Raises TemplateError, also where two frames have one name."""
    paths: dict[int, Path] = {}
    taken: dict[str, int] = {}
    for facts in frames:
        name = file_name(template, facts, suffix)
        other = taken.setdefault(name.casefold(), facts.index)
        if other != facts.index:
            raise TemplateError(
                f"Frames {other + 1} and {facts.index + 1} would both be {name}. Add {{name}} or {{number}}."
            )
        paths[facts.index] = folder / name
    return paths
