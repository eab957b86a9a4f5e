"""Encrypts single fields with the home's key: callers' phones, secrets of second factors. The database never holds the key.

AES-256-GCM; each purpose has a key of its own (HKDF), so that what was sealed for one is not opened as another's.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_MARK = "v1."  # tells the algorithm, should another one come
_NONCE = 12


class SealBroken(Exception):
    """What should be opened was altered, sealed for another purpose, or sealed with another home's key."""

    def __init__(self) -> None:
        super().__init__("加密的内容打不开：它被改动过，或密钥不是加密时的那一个")


def seal(key: bytes, purpose: str, text: str) -> str:
    """`text` encrypted for a purpose ("phone", "totp"); each time another string. `key` is `Store.key`."""
    nonce = secrets.token_bytes(_NONCE)
    sealed = AESGCM(_derived(key, purpose)).encrypt(nonce, text.encode(), purpose.encode())
    return _MARK + base64.urlsafe_b64encode(nonce + sealed).decode()


def unseal(key: bytes, purpose: str, sealed: str) -> str:
    """The text again. Raises SealBroken."""
    try:
        raw = base64.b64decode(sealed.removeprefix(_MARK), altchars=b"-_", validate=True)
        return AESGCM(_derived(key, purpose)).decrypt(raw[:_NONCE], raw[_NONCE:], purpose.encode()).decode()
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise SealBroken from error


def keyed_digest(key: bytes, purpose: str, text: str) -> str:
    """64 hex characters: the same for the same text, and of no use to whoever lacks the key."""
    return hmac.digest(_derived(key, f"digest {purpose}"), text.encode(), "sha256").hex()


@functools.lru_cache(maxsize=64)
def _derived(key: bytes, purpose: str) -> bytes:
    """Remembered: a process has one home's key and a few purposes, and a file's clues ask for the same thousands of times."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"buluo " + purpose.encode()).derive(key)
