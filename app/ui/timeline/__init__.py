"""Exposures over the spike rate, and the controls that play."""
