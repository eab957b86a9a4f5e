"""The county's own forecast: who, not being helped now, may need help within the next six periods.

    features    what is read of a household as of a period, and how it is said
    history     the panel of past periods from their published warehouses, with labels; refuses what was not known then
    training    candidates compared on that panel, the chosen one fitted, figures for page and card
    keeping     a trained model in HOME/model/<id>: read again only where its hash is the recorded one
    words       a score's parts in words, and what would lower it
    card        the model card as Markdown

`monitoring.model` is the library underneath, for any panel; `pipelines.forecast` scores a run with what is kept here.
"""

HORIZON = 6
RULE = "MODEL-RISK"
