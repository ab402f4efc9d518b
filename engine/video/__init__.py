"""Frames of a video file: counted from its packets, decoded when they are read.

Values are those that the sensor gave and the file holds: a rotation, a mirroring or a pixel aspect ratio
that a player would apply is not applied, as with pictures; a finding names it.
"""

from engine.video.frames import VideoFrames

__all__ = ["VideoFrames"]
