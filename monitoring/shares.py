"""What can be said of a share that was counted on few cases."""

from __future__ import annotations

from math import sqrt

Z95 = 1.959963984540054
FEW = 10  # of fewer cases no percentage is told: the counts and the interval are


def wilson(found: float, of: float) -> tuple[float, float]:
    """The 95% Wilson interval of a share; (0, 1) where there is nothing to share."""
    if of <= 0:
        return 0.0, 1.0
    p, z2 = found / of, Z95**2 / of
    middle, spread = (p + z2 / 2) / (1 + z2), Z95 * sqrt(p * (1 - p) / of + z2 / (4 * of)) / (1 + z2)
    return (max(0.0, middle - spread) if found else 0.0), (min(1.0, middle + spread) if found < of else 1.0)
