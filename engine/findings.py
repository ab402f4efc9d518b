"""What is odd about a user's files: said with what to do about it, and never in silence."""

from typing import Self


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
