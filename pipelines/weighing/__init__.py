"""Weights behind the cascade: how likely a row and a person, or two persons, are one (Splink on DuckDB, a kept model).

Never a step of a run: the contract says which links are certain, who waits for a person, and who is new; a likelihood decides
nothing. `buluo link` weighs a published run where somebody asks, and writes HOME/linkage/<run id>/, which the review page
reads: candidates of waiting rows in order, persons who could be meant by rows that found nobody, persons with two numbers,
households listed twice. The same run and model give the same files.

`words` what is compared and how names sound · `model` comparisons and the kept weights · `scoring` pairs weighed ·
`bands` what a weight means · `county` a published run weighed and written.
"""

from pipelines.weighing.county import Weighed, tidy, weigh

__all__ = ["Weighed", "tidy", "weigh"]
