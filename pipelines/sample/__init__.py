"""The sample county 青禾县: fictional people whose lives unfold over months, told by departments in messy files.

`people` who lives there → `shocks` what happens to them → `programmes` what the state does → what each department knows
in a month (`registry`, `ledgers`, `groups`, `registers`, `holdings`, `events`, `cases`, `health`, `flows`)
→ `faults` how badly it is written → `writing` and `workbooks` the files → `making` all of it.
"""

from pipelines.sample.making import SampleReport, begin_county, make_county

__all__ = ["SampleReport", "begin_county", "make_county"]
