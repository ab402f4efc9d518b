"""Plans of a method's own numbers, for tests that lay out and blend without a restoration."""

from engine.restoration.plan import plan


def make_plan(size, frames, method, tile_px=None, region=None):
    """Lay `frames` of `size` out by a method's numbers; `tile_px` None takes its own choice of a tile too."""
    edge_px = tile_px if tile_px is not None else method.default_tile_px
    if edge_px is None:
        edge_px = max(size.height, size.width) + method.multiple_px
    return plan(
        size,
        frames,
        edge_px,
        method.overlap_px,
        method.clip_frames,
        method.clip_overlap,
        region,
        multiple=method.multiple_px,
    )
