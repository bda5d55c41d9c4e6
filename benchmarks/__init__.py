"""Measurements: side by side, in rounds, in one run."""
