"""The whole entitlement of one household under the pack in force: every scheme with one status, money, reason and papers.

`loading` reads the schemes (data/policy/schemes), `binding` puts one run's rules and parameters in, `judging` answers for
one household, `changes` looks for the smallest change, `stacking` for what can be had together.
"""

from monitoring.entitlement.asking import entitlement
from monitoring.entitlement.model import (
    EXCLUDED,
    MISSING,
    RECEIVES,
    STATUSES,
    UNKNOWN,
    Document,
    Entitlement,
    Totals,
    totals,
)

__all__ = [
    "EXCLUDED",
    "MISSING",
    "RECEIVES",
    "STATUSES",
    "UNKNOWN",
    "Document",
    "Entitlement",
    "Totals",
    "entitlement",
    "totals",
]
