"""A spike camera's fixed pattern: what differs from pixel to pixel in every recording of one sensor.

pattern = sequence.fixed_pattern        # of the file named as `flat`, or of the recording itself
pattern.gain                            # float32 (h, w), 1 where nothing is known
kept.write_pattern(pattern, "sensor.npz")    # kept.read_pattern("sensor.npz"), open_sequence(..., flat=...)
"""

from engine.fixed_pattern.pattern import FixedPattern, Origin

__all__ = ["FixedPattern", "Origin"]
