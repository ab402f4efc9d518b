"""What differs from pixel to pixel of the spike camera: measured, shown, kept for its other recordings."""
