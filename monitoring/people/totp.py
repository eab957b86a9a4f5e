"""The second factor: a code of six digits from a phone (TOTP, RFC 6238), good for one use, one step early or late.

The secret is encrypted with the home's key before it is stored. Who sets one up sees it once, as a QR code drawn here.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

import pyotp
import segno

from monitoring.store import Store
from monitoring.store.sealing import seal, unseal

ISSUER = "不落 Buluo"
STEP_SECONDS = 30
_PURPOSE = "totp"


def new_secret() -> str:
    return pyotp.random_base32()


def sealed(store: Store, secret: str) -> str:
    return seal(store.key, _PURPOSE, secret)


def opened(store: Store, kept: str) -> str:
    """The secret again. Raises SealBroken."""
    return unseal(store.key, _PURPOSE, kept)


def step_of(secret: str, code: str, at: datetime, last_step: int | None = None) -> int | None:
    """The time step that a code belongs to: now, one before or one after; None where it is wrong or was used already."""
    typed = "".join(code.split())
    if len(typed) != 6 or not typed.isascii() or not typed.isdigit():
        return None
    codes = pyotp.TOTP(secret, interval=STEP_SECONDS)
    now = int(at.timestamp()) // STEP_SECONDS
    for step in (now, now - 1, now + 1):
        if hmac.compare_digest(codes.generate_otp(step), typed):
            return step if last_step is None or step > last_step else None
    return None


def code_at(secret: str, at: datetime, steps: int = 0) -> str:
    """The code that a phone shows, `steps` later."""
    return pyotp.TOTP(secret, interval=STEP_SECONDS).at(at + timedelta(seconds=STEP_SECONDS * steps))


def picture(secret: str, name: str) -> str:
    """The QR code that a phone's app reads, as a data: address of an SVG."""
    address = pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(name=name, issuer_name=ISSUER)
    drawn: str = segno.make(address, error="m").svg_data_uri(scale=4, border=2)
    return drawn
