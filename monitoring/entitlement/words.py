"""Saying things in both languages at once: sentences with their slots filled, lists joined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from monitoring.entitlement.schemes import Sentences
from monitoring.language import Language, number
from monitoring.queries.conditions import Parameter
from monitoring.rules.sentences import Slot
from monitoring.strict_toml import Bilingual

LANGUAGES = {code: Language(code) for code in ("zh", "en")}
_YES_NO = {"zh": ("是", "否"), "en": ("yes", "no")}
_UNKNOWN = {"zh": "不明", "en": "unknown"}


def said(text: Bilingual, **values: Any) -> Bilingual:
    """The text with values put in by name; a value may be bilingual, a figure gets its separators."""
    return Bilingual(
        *(
            text.to(lang).format(**{name: _value(value, lang) for name, value in values.items()})
            for lang in ("zh", "en")
        )
    )


def joined(texts: Iterable[Bilingual], zh: str = "；", en: str = "; ") -> Bilingual:
    """The texts one after the other, each once; full stops between them go."""
    kept = list(dict.fromkeys(texts))
    return Bilingual(zh.join(text.zh.rstrip("。") for text in kept), en.join(text.en.rstrip(".") for text in kept))


def after(*texts: Bilingual | None) -> Bilingual:
    """Whole sentences, one after the other."""
    kept = [text for text in texts if text is not None]
    return Bilingual("".join(text.zh for text in kept), " ".join(text.en for text in kept if text.en))


def filled(sentences: Sentences, row: Mapping[str, Any], parameters: Mapping[str, Parameter]) -> Bilingual:
    """A scheme's sentence with the row's values and the pack's parameters in its slots."""
    told = {
        lang: "".join(
            piece if isinstance(piece, str) else _slot(piece, lang, row, parameters) for piece in sentence.pieces
        )
        for lang, sentence in sentences.items()
    }
    return Bilingual(told.get("zh", ""), told.get("en", ""))


def _slot(slot: Slot, lang: str, row: Mapping[str, Any], parameters: Mapping[str, Parameter]) -> str:
    if slot.parameter:
        return _parameter(parameters.get(slot.name), slot.style, lang)
    value, choices = row.get(slot.name), slot.choices
    if value is None or value == "":
        return choices[-1] if len(choices) > 1 else _UNKNOWN[lang]
    if isinstance(value, bool):
        return (choices or _YES_NO[lang])[0 if value else 1]
    text = _value(value, lang)
    if slot.style == "%":
        text = f"{number(value * 100)}%"
    return choices[0].replace("#", text) if choices else text


def _value(value: Any, lang: str) -> str:
    if isinstance(value, Bilingual):
        return value.to(lang)
    return LANGUAGES[lang].value(value)


def _parameter(parameter: Parameter | None, style: str, lang: str) -> str:
    if parameter is None or parameter.value is None:
        return _UNKNOWN[lang]
    try:
        figure = Decimal(parameter.value)
    except ArithmeticError:
        return LANGUAGES[lang].value(parameter.value)
    return f"{number(figure * 100)}%" if style == "%" else number(figure)
