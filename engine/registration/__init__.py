"""Where a pixel of a frame lies among the spikes."""

from engine.registration.homography import Homography, homography_of
from engine.registration.registration import Registration

__all__ = ["Homography", "Registration", "homography_of"]
