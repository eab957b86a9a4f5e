"""Facts that rest on a pack's parameters: one text each, for the run that writes the snapshots and for the what-if.

What rests on no parameter is computed by the run alone (`pipelines.snapshot`) and read from what it published.
"""
