"""The sample county 青禾县: fictional people whose lives unfold over months, told by departments in messy files.

`people` who lives there → `shocks` what happens to them → `programmes` what the state does → `ledgers`, `registers`, `events`,
`flows` what each department knows in a month → `faults` how badly it is written → `writing` the files → `making` all of it.
"""

from pipelines.sample.making import SampleReport, make_county

__all__ = ["SampleReport", "make_county"]
