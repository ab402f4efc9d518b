"""Whether an event list holds the same event more than once: a pixel that spikes twice at one time."""

import numpy as np

from engine.findings import Finding
from engine.recording.event_store import EVENTS_AT_A_TIME, EventStore


def about_repeats(store: EventStore) -> tuple[Finding, ...]:
    """Say how many of the first events, which are in order of time, are there again."""
    asked = min(store.count, EVENTS_AT_A_TIME)
    events = store.read(0, asked)
    columns = [events[name] for name in sorted(events)]
    order = np.lexsort(columns)
    same = np.ones(max(0, asked - 1), bool)
    for column in columns:
        ordered = column[order]
        same &= ordered[1:] == ordered[:-1]
    repeats = int(np.count_nonzero(same))
    if not repeats:
        return ()
    part = "" if asked == store.count else "first "
    return (
        Finding(
            f"{repeats} of the {part}{asked} events are there again, of the same pixel at the same time; "
            "every one counts as a spike",
            "Keep each of them once where it was one spike",
        ),
    )
