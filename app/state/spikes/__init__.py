"""What the spikes say."""
