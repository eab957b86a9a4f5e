"""Risk lists: households or persons chosen by a typed filter, shown, kept, and taken out with a mark in every row.

`fields` what can be asked for · `asking` the filter and its forms (text, JSON, words) · `marks` and `tracing` whose export a
row is from · `writing` the files · `exporting` the services of page and command line · `keeping` saved lists.
`monitoring.queries.risk_lists` answers. From Python: see `docs/examples/risk_list.py`.
"""

from monitoring.lists.asking import Ask, Condition, NotAsked, Order, ask_from_json, ask_from_text
from monitoring.lists.fields import HOUSEHOLDS, PERSONS, fields

__all__ = [
    "HOUSEHOLDS",
    "PERSONS",
    "Ask",
    "Condition",
    "NotAsked",
    "Order",
    "ask_from_json",
    "ask_from_text",
    "fields",
]
