"""What must be so before anything is served: Streamlit's dangerous options as security.md 2.5 has them, and no folder `pages`.

A page in a folder `pages` can be opened by name by anybody who has a socket, whatever `st.navigation` offers.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any

from monitoring.gate.middleware import Guard
from monitoring.gate.passing import HEADERS

OPTIONS: dict[str, Any] = {
    "global.developmentMode": False,
    "server.enableStaticServing": False,
    "server.enableAgentApi": False,
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.fileWatcherType": "none",
    "server.trustedUserHeaders": HEADERS,
    "server.unsafeMetricsUserAttributes": [],
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "client.toolbarMode": "minimal",
    "client.disableDataExport": True,
    "client.allowedOrigins": [],
    "runner.magicEnabled": False,
}
AT_MOST = {"server.maxUploadSize": 50, "server.maxMessageSize": 50, "server.disconnectedSessionTTL": 120}


class Unsafe(RuntimeError):
    """The server does not start; the text says which options differ and how they must stand."""

    def __init__(self, wrong: list[str]) -> None:
        super().__init__("\n".join(["看板没有启动：有不安全的设置，请改回（.streamlit/config.toml）", *wrong]))


def wrong_options(option: Callable[[str], Any], app_folder: Path, tls: bool) -> list[str]:
    """What differs, in words; empty where all is as it must be. `option`: Streamlit's own reading of its settings."""
    wrong = [
        f"{name} 应为 {wanted!r}，现为 {option(name)!r}" for name, wanted in OPTIONS.items() if option(name) != wanted
    ]
    wrong += [f"{name} 至多 {most}，现为 {option(name)!r}" for name, most in AT_MOST.items() if option(name) > most]
    address = option("server.address")
    if not tls and not is_loopback(address or "0.0.0.0"):  # noqa: S104 -- what Streamlit takes where nothing is said
        wrong.append(f"server.address 现为 {address!r}：没有 tls = true（nginx 转发）时只能是 127.0.0.1")
    if (app_folder / "pages").exists():
        wrong.append(f"{app_folder / 'pages'}：这个文件夹里的页面不经权限检查，请删去")
    return wrong


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_gated(app: object) -> bool:
    """Whether an ASGI application has the gate in front; `buluo serve` starts no other."""
    return any(getattr(layer, "cls", None) is Guard for layer in getattr(app, "_user_middleware", ()))
