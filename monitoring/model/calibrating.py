"""From a model's raw score to a probability, learnt on units that the model did not see."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from monitoring.model.panel import Floats

ENOUGH_FOR_STEPS = 200  # positives, below which isotonic steps would follow chance
ENOUGH_TO_MOVE = 100  # positives of the newest periods, below which they don't move the whole
ORDER_KEPT = 0.02  # share of the smooth curve in the steps, so that rows of one step keep their order
_FAR = 30.0


@dataclass(frozen=True)
class Calibrator:
    """`kind`: none, sigmoid, isotonic. `slope` and `shift` are the sigmoid's; `x` and `y` the corners of the steps; `late`
    is what the newest periods add to the log odds, where they differ from all."""

    kind: str
    slope: float = 1.0
    shift: float = 0.0
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()
    late: float = 0.0

    def __call__(self, raw: Floats) -> Floats:
        """Probabilities of raw scores (log odds); higher raw scores never get lower ones."""
        p = self._of_all(raw)
        return sigmoid(np.log(p / (1 - p)) + self.late) if self.late else p

    def _of_all(self, raw: Floats) -> Floats:
        smooth = sigmoid(self.slope * raw + self.shift)
        if self.kind != "isotonic":
            return smooth
        return (1 - ORDER_KEPT) * np.interp(raw, self.x, self.y) + ORDER_KEPT * smooth


def sigmoid(raw: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(raw, -_FAR, _FAR)))


def learn(raw: Floats, y: Floats, units: npt.NDArray[np.int64]) -> Calibrator:
    """The kind that explains held-out units best (log loss, two halves of the units crossed), learnt on all rows then."""
    half = (units % 2).astype(bool)
    kinds = ["none", "sigmoid", *(["isotonic"] if y.sum() >= ENOUGH_FOR_STEPS else [])]
    if min(y[half].sum(), y[~half].sum(), (1 - y[half]).sum(), (1 - y[~half]).sum()) < 1:
        return Calibrator("none")
    loss = {kind: sum(_loss(y[~of], _fit(kind, raw[of], y[of])(raw[~of])) for of in (half, ~half)) for kind in kinds}
    return _fit(min(kinds, key=lambda kind: loss[kind]), raw, y)


def brought_up(calibrator: Calibrator, raw: Floats, y: Floats) -> Calibrator:
    """The same, moved so that it says of held-out rows of the newest periods what was seen there; unmoved where these are
    few, or no further off than chance."""
    p = calibrator(raw)
    off, chance = float(y.sum() - p.sum()), float(np.sqrt(np.sum(p * (1 - p))))
    if min(y.sum(), (1 - y).sum()) < ENOUGH_TO_MOVE or abs(off) < 2 * chance:
        return calibrator
    odds, late = np.log(p / (1 - p)), 0.0
    for _ in range(20):  # Newton
        moved = sigmoid(odds + late)
        late += float((y - moved).sum() / np.sum(moved * (1 - moved)))
    return replace(calibrator, late=late)


def _fit(kind: str, raw: Floats, y: Floats) -> Calibrator:
    if kind == "none":
        return Calibrator("none")
    line = LogisticRegression(C=1e6, max_iter=200).fit(raw.reshape(-1, 1), y)
    slope, shift = float(line.coef_[0, 0]), float(line.intercept_[0])
    if slope <= 0:  # the score says nothing here: keep its order all the same
        return Calibrator("none")
    if kind == "sigmoid":
        return Calibrator("sigmoid", slope, shift)
    steps = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(raw, y)
    return Calibrator(
        "isotonic", slope, shift, tuple(map(float, steps.X_thresholds_)), tuple(map(float, steps.y_thresholds_))
    )


def _loss(y: Floats, p: Floats) -> float:
    safe = np.clip(p, 1e-6, 1 - 1e-6)
    return float(-np.sum(y * np.log(safe) + (1 - y) * np.log(1 - safe)))
