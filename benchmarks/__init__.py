"""Measurements as ratios within one run: `python -m benchmarks`, and of mail `python -m benchmarks.mail`."""
