"""What pages ask of a published warehouse: one function a question, each takes the warehouse and a scope.

They return polars frames or dataclasses, already limited to the scope's places and masked where it says so. No figure is
computed anywhere else; `places` (frame), `overview`, `points`, `alerts`, `household`, `traces`, `income`, `verdicts`, `programmes`
(definitions), `coverage`, `registers`, `disposal`, `exits`, `checklist`, `sources`.
"""
