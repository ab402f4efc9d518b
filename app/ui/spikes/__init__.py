"""Voxel bins and spikes of single pixels."""
