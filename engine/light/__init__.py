"""What spikes tell of the light that fell on their camera: how it moved, and how it became spikes.

Pictures and fields only: nothing here knows of sequences or files.
"""
