"""A small model that answers for itself: evaluated beside its baselines, calibrated, explained, on any panel of households.

    report = evaluate(panel, id="household", period="month", label="entered", groups=["township"], capacity=0.1)
    model = fit(panel, id="household", period="month", label="entered")
    scored = score(model, newest)

Nothing here assumes that the panel is this county's: a row is one unit in one period; what is not id, period, label, group
or split is a feature; numbers, dates, yes/no and categories may be missing, and missing is information.
"""

from monitoring.model.evaluating import evaluate
from monitoring.model.explaining import contributions
from monitoring.model.fitting import Model, fit, score
from monitoring.model.panel import PanelError
from monitoring.model.report import Report

__all__ = ["Model", "PanelError", "Report", "contributions", "evaluate", "fit", "score"]
