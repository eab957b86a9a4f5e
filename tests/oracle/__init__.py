"""A second reading of the contract, written apart from the pipeline, for differential testing.

Plain loops over dicts, exact fractions and explicit three-valued logic: slow on purpose, so that a person can hold
`contract/rules.md` beside it and see that both say the same. Nothing here imports the product.
"""

from tests.oracle.judging import Signal, outcomes, signals, signals_detailed
from tests.oracle.reading import Deliveries, read_csv_folder, write_csv

__all__ = ["Deliveries", "Signal", "outcomes", "read_csv_folder", "signals", "signals_detailed", "write_csv"]
