"""Measurements as ratios within one run: `python -m benchmarks.predict`, `.startup`, `.memory`."""
