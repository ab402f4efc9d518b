"""Simulated sequences, and what builds and evaluates networks."""
