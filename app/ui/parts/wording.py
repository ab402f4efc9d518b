"""Numbers and names as people read them."""

from PySide6.QtCore import QCoreApplication


def format_seconds(seconds: float) -> str:
    """Return a duration in the unit that suits it."""
    if seconds < 0.095:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 90:
        return f"{rest} s" if minutes == 0 else f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min"


def format_bytes(count: float) -> str:
    """Return an amount of memory in binary units, three digits at most."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1000 or unit == "GiB":
            break
        count /= 1024
    return f"{count:.0f} {unit}" if count >= 10 or unit == "B" else f"{count:.1f} {unit}"


def format_count(count: int) -> str:
    """Return a whole number with a narrow space after every thousand."""
    return f"{count:,}".replace(",", "\u202f")


def method_title(method: str) -> str:
    """Return what a way to deblur is called; one that is not known keeps its name."""
    titles = {
        "spike-ratio": QCoreApplication.translate("Methods", "spike ratio"),
        "network": QCoreApplication.translate("Methods", "network"),
    }
    return titles.get(method, method)
