"""How the home guards itself: HOME/settings.toml, table [security]. Without the file, level 3 of 等保 on this machine only.

    [security]
    level = 3                          # 2 switches off second factors and the separation of the three administrators
    password_mode = "mlps"             # 等保: three of four kinds of characters, new every 90 days; or "asvs": length, no rotation
    password_words = ["qinghe"]        # what nobody here may use as a password: the county's own names
    hosts = ["monitor.county.internal", "127.0.0.1"]
    tls = true                         # nginx in front speaks https

    [security.oidc]
    issuer = "https://id.county.internal"
    client_id = "buluo"
    client_secret_file = "secrets/oidc"
    claim = "sub"                      # or preferred_username, email: then it is the account's name
    title = "政务统一认证"
    second_factor = "here"             # or "provider", where the provider asks for it

Every complaint of the file is told at once (`SettingsError`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from monitoring.strict_toml import Complaint, Table, read_toml

FILE = "settings.toml"
MODES = ("mlps", "asvs")
LOOPBACK = ("127.0.0.1", "localhost")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


class SettingsError(ValueError):
    """HOME/settings.toml cannot be used; `complaints` says all that is wrong in it."""

    def __init__(self, complaints: list[Complaint]) -> None:
        self.complaints = complaints
        super().__init__("\n".join([f"{FILE} 有 {len(complaints)} 处需要改正：", *map(str, complaints)]))


@dataclass(frozen=True)
class Oidc:
    """An identity provider of the county. `secret` is None for a public client (PKCE alone)."""

    issuer: str
    client_id: str
    secret: str | None
    claim: str
    title: str
    second_factor: bool  # asked for here


@dataclass(frozen=True)
class Security:
    """The settings in force; `second_factor` and `separation` follow from the level."""

    level: int = 3
    policy: str = "mlps"
    password_words: tuple[str, ...] = ()
    hosts: tuple[str, ...] = LOOPBACK
    tls: bool = False
    oidc: Oidc | None = None

    @property
    def second_factor(self) -> bool:
        return self.level >= 3

    @property
    def separation(self) -> bool:
        """Whether what the administrator could come in by, or give away, waits for the security officer (三员分立)."""
        return self.level >= 3


def load_security(home: Path) -> Security:
    """The home's settings. Raises SettingsError."""
    path = home / FILE
    if not path.exists():
        return Security()
    complaints: list[Complaint] = []
    whole = read_toml(path, complaints)
    found = Security()
    if whole is not None:
        content = whole.raw("security")
        if isinstance(content, dict):
            found = _security(Table(content, FILE, "[security]", complaints), home)
        elif content is not None:
            whole.complain("security 不是一张表", "[security]")
    if complaints:
        raise SettingsError(complaints)
    return found


def _security(table: Table, home: Path) -> Security:
    level = table.raw("level")
    if level not in (None, 2, 3) or isinstance(level, bool):
        table.complain(f"level = {level!r}", "level = 3，或 level = 2")
        level = None
    mode = table.choice("password_mode", MODES, required=False)
    words = _texts(table, "password_words")
    hosts = tuple(host.lower() for host in _texts(table, "hosts"))
    for host in hosts:
        if not _HOST.fullmatch(host):
            table.complain(
                f"hosts 中的 {host!r} 不是主机名", 'hosts = ["monitor.county.internal"]（不带 https:// 和端口）'
            )
    tls = table.raw("tls")
    if tls is not None and not isinstance(tls, bool):
        table.complain(f"tls = {tls!r}", "tls = true 或 tls = false")
    oidc = table.raw("oidc")
    provider = None
    if isinstance(oidc, dict):
        provider = _oidc(Table(oidc, FILE, "[security.oidc]", table.complaints), home)
    elif oidc is not None:
        table.complain("oidc 不是一张表", "[security.oidc]")
    table.close()
    return Security(level or 3, mode or MODES[0], words, hosts or LOOPBACK, tls is True, provider)


def _oidc(table: Table, home: Path) -> Oidc:
    issuer = table.text("issuer").rstrip("/")
    address = urlsplit(issuer)
    local = address.hostname in LOOPBACK
    if issuer and (not address.netloc or (address.scheme != "https" and not (local and address.scheme == "http"))):
        table.complain(f"issuer = {issuer!r}", 'issuer = "https://…"（http 只限本机）')
    secret = None
    if table.has("client_secret_file"):
        secret = _secret(table, home / table.text("client_secret_file"))
    client_id, title = table.text("client_id"), table.text("title", required=False)
    claim = table.choice("claim", ("sub", "preferred_username", "email"), required=False)
    asked = table.choice("second_factor", ("here", "provider"), required=False)
    table.close()
    return Oidc(issuer, client_id, secret, claim or "sub", title or "统一身份认证", asked != "provider")


def _secret(table: Table, path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            table.complain(f"密钥文件 {path.name} 别人也能读", f"chmod 400 {path.name}")
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        table.complain(f"读不出 client_secret_file {path.name}：{error}", "主目录内的一个文本文件，内含客户端密钥")
        return ""
    if not secret:
        table.complain(f"client_secret_file {path.name} 是空的", "客户端密钥")
    return secret


def _texts(table: Table, key: str) -> tuple[str, ...]:
    found = table.raw(key)
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(text, str) and text.strip() for text in found):
        table.complain(f"{key} = {found!r}", f'{key} = ["…", "…"]')
        return ()
    return tuple(text.strip() for text in found)
