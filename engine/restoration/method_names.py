"""What methods are called: apart from the methods, so that naming one loads nothing."""

SPIKE_RATIO = "spike-ratio"
NETWORK = "network"
DEFAULT_METHOD = NETWORK
"""What restores where nobody chooses."""
DEFAULT_MODEL = "vrt-spike-small"
"""The bundled network that `NETWORK` means where nobody names another."""
