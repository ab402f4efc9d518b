"""Headless engine: recordings, voxels, sequences, restoring, the worker process and the command line."""
