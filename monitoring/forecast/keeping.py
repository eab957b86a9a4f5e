"""A trained model in HOME/model/<id>: `model.skops` (the fitted pipeline) and `manifest.json` (all else, with digests).

The pipeline is read only where its digest is the recorded one and it holds nothing but the types listed here; the manifest
only where its own digest fits. The id tells what a model was made of: data, code, parameters and what came out of it. A model that may not be used (too few entries) has a manifest alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import skops.io as sio

from monitoring.model import Model
from monitoring.model.calibrating import Calibrator
from monitoring.model.panel import Columns, Encoder, Relative

FOLDER, MANIFEST, PIPELINE = "model", "manifest.json", "model.skops"
# What a pipeline of ours is made of beside scikit-learn's own documented classes, which skops trusts by itself.
TRUSTED = frozenset({
    "numpy.clip", "numpy.dtype", "scipy._lib.array_api_compat.numpy._aliases.asarray", "scipy.interpolate._bsplines.BSpline",
    "functools.partial", "monitoring.model.candidates.Blend", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor", "sklearn.utils.validation.check_array",
})  # fmt: skip


class Altered(ValueError):
    """A model's file is not the recorded one, or holds what it must not; the text says so (Chinese)."""


@dataclass(frozen=True)
class Kept:
    """A kept model: `manifest` as written, `folder` where."""

    id: str
    manifest: dict[str, Any]
    folder: Path

    @property
    def period(self) -> str:
        """The last period whose warehouse was read: runs from it on may use the model."""
        return str(self.manifest["until"])

    @property
    def usable(self) -> bool:
        return bool(self.manifest["usable"])


def keep(home: Path, model: Model | None, manifest: Mapping[str, Any]) -> Kept:
    """Writes a model into its folder, all or nothing; the same model twice is one."""
    told = dict(manifest) | ({"model": described(model)} if model is not None else {})
    id = f"{told['until']}-{_digest(told)[:10]}"
    folder = home / FOLDER / id
    if not (folder / MANIFEST).exists():
        building = home / FOLDER / f".building-{id}"
        building.mkdir(parents=True, exist_ok=True)
        told["id"] = id
        if model is not None:
            blob = sio.dumps(model.pipeline)
            (building / PIPELINE).write_bytes(blob)
            told["file_sha256"] = hashlib.sha256(blob).hexdigest()
        told["sha256"] = _digest(told)
        (building / MANIFEST).write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
        building.replace(folder)
    return read(folder)


def read(folder: Path) -> Kept:
    """Raises Altered where the manifest is not what was written."""
    try:
        told = json.loads((folder / MANIFEST).read_text("utf-8"))
        whole = told["sha256"] == _digest({name: value for name, value in told.items() if name != "sha256"})
        whole = whole and told["id"] == folder.name
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise Altered(f"模型 {folder.name} 的说明（{MANIFEST}）读不出：{error}") from error
    if not whole:
        raise Altered(f"模型 {folder.name} 的说明（{MANIFEST}）与记录的摘要不符：被改动过，不能使用；请重新训练")
    return Kept(folder.name, told, folder)


def kept(home: Path) -> list[Kept]:
    """All models of a home, the oldest first. Raises Altered."""
    folder = home / FOLDER
    found = sorted(path for path in folder.glob("[0-9]*") if path.is_dir()) if folder.is_dir() else []
    return [read(path) for path in found]


def of_period(home: Path, period: str) -> Kept | None:
    """The model of a run: the newest that was trained on what was known by this period (its labels had closed by then)."""
    fit = [one for one in kept(home) if one.period <= period]
    newest = max((one.period for one in fit), default="")
    same = [one for one in fit if one.period == newest]
    return max(same, key=lambda one: (int(one.manifest["number"]), one.id)) if same else None


def load(one: Kept) -> Model:
    """The fitted model. Raises Altered where the file is not the recorded one, or holds anything but the listed types."""
    try:
        blob = (one.folder / PIPELINE).read_bytes()
    except OSError as error:
        raise Altered(f"模型 {one.id} 的文件读不出：{error}") from error
    if hashlib.sha256(blob).hexdigest() != one.manifest.get("file_sha256"):
        raise Altered(f"模型 {one.id} 的文件与记录的摘要不符：被改动过，不能使用；请重新训练（buluo model train）")
    odd = sorted(set(sio.get_untrusted_types(data=blob)) - TRUSTED)
    if odd:
        raise Altered(f"模型 {one.id} 的文件里有不认识的内容（{'、'.join(odd)}），不能使用")
    told = one.manifest["model"]
    names = told["columns"]
    return Model(
        told["name"], told["setting"], Columns(names["id"], names["period"], names["label"], tuple(names["features"])),
        _encoder(told["encoder"]),
        sio.loads(blob, trusted=sorted(TRUSTED)),
        _calibrator(told["calibrator"]),
        np.array([[np.nan if v is None else v for v in told["reference"]]], dtype=np.float32),
        told["rows"], told["units"], told["positives"], told["seed"],
    )  # fmt: skip


def _encoder(told: Mapping[str, Any]) -> Encoder:
    own = told["relative"]
    relative = own and Relative(
        own["feature"],
        own["period"],
        {k: (v[0], v[1]) for k, v in own["periods"].items()},
        (own["newest"][0], own["newest"][1]),
    )
    return Encoder(tuple(told["features"]), {k: tuple(v) for k, v in told["codes"].items()}, relative)


def _calibrator(told: Mapping[str, Any]) -> Calibrator:
    return Calibrator(told["kind"], told["slope"], told["shift"], tuple(told["x"]), tuple(told["y"]), told["late"])


def described(model: Model) -> dict[str, Any]:
    """All of a model but its pipeline, as JSON."""
    return {
        "name": model.name, "setting": dict(model.setting), "columns": asdict(model.columns),
        "encoder": asdict(model.encoder),
        "calibrator": asdict(model.calibrator), "reference": [None if np.isnan(v) else float(v) for v in model.reference[0]],
        "rows": model.rows, "units": model.units, "positives": model.positives, "seed": model.seed,
    }  # fmt: skip


def _digest(told: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, ensure_ascii=False, sort_keys=True, allow_nan=False).encode()).hexdigest()
