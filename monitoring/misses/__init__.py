"""What nothing flagged: a seeded sample of households without any signal is visited each month, and tells how many are missed.

    settings     data/policy/sampling.toml: groups, limits, how many months are taken together
    frame        which households can be drawn, from a published run
    allocating   how many of which township and group; pure
    drawing      the draw at the end of a run, the same however often it is done
    visiting     what was found at the door; a household in difficulty becomes a case like any other
    intervals    the interval; pure
    estimating   how many are missed, and what the rules and the model find; pure
    asking       what pages ask

A sampled household is no alert: it stands in no figure of alerts, rules or signals until somebody finds it in difficulty.
"""
