"""Measurements of speed and memory, as ratios within one run; none of them is a test. ``python -m benchmarks`` runs them."""
