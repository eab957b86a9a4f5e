"""Linkage measured against known truth (`python -m benchmarks.linkage --help`)."""
