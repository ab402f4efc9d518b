"""What is odd about a user's files: said with what to do about it, and never in silence."""

from collections.abc import Sequence
from typing import Self

NAMES_IN_A_FINDING = 5

_OPTIONS = {
    "spikes": "the recording",
    "alignment": "an alignment log",
    "height": "height",
    "width": "width",
    "rate_hz": "the rate",
    "time_unit": "the unit of times",
    "exposure_planes": "the exposure's length",
    "gamma": "gamma",
    "flat": "a flat field",
}
"""What a user can say, by the fields of `engine.source.SequenceSource`, in words."""


def shorten(names: Sequence[str]) -> str:
    """Join the first few names and count the rest."""
    return counted(names[:NAMES_IN_A_FINDING], len(names))


def counted(first: Sequence[str], total: int) -> str:
    """Join the first names of `total`, and count the rest, which need not be listed anywhere."""
    shown, left = ", ".join(first), total - len(first)
    return f"{shown} and {left} more" if left > 0 else shown


def option(*names: str, words: str = "") -> str:
    """Name options for a remedy or advice, in words and as they are typed: "the rate (--rate)".

    `names` are fields of `engine.source.SequenceSource`; `words` stand where others than usual say more.
    """
    typed = " and ".join(f"--{name.removesuffix('_hz').replace('_', '-')}" for name in names)
    return f"{words or ' and '.join(_OPTIONS[name] for name in names)} ({typed})"


class Finding(str):
    """Something odd about files that could be read all the same.

    As a string it is the problem: one sentence without a full stop, with the names and numbers found.
    """

    remedy: str
    """What to do about it, an imperative sentence without a full stop."""

    __slots__ = ("remedy",)

    def __new__(cls, problem: str, remedy: str) -> Self:
        finding = super().__new__(cls, " ".join(problem.split()))
        finding.remedy = " ".join(remedy.split())
        return finding

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return str(self), self.remedy

    @property
    def sentences(self) -> str:
        """The problem and its remedy, as they are printed."""
        return f"{self}. {self.remedy}"
