"""The gate's own pages: log-in, password, second factor, log-out, refusals. Plain HTML without script, Chinese or English,
usable on a phone. Whatever comes from outside is escaped here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from urllib.parse import quote, urlencode

from monitoring.language import LANGUAGES, Language
from monitoring.people import totp
from monitoring.people.settings import Security

# No script at all; styles and pictures from here; the QR code is in the page.
POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


@dataclass(frozen=True)
class Asked:
    """What every form knows: the language, where the person wanted to go, and the token that makes the form ours."""

    t: Language
    next: str
    token: str

    def address(self, path: str, **more: str) -> str:
        told = {key: value for key, value in {**more, "lang": self.t.code}.items() if (key, value) != ("lang", "zh")}
        told |= {"next": self.next} if self.next != "/" else {}
        return f"{path}?{urlencode(told, quote_via=quote)}" if told else path


def log_in(asked: Asked, security: Security, failed: str = "", name: str = "") -> str:
    """The first page. `failed`: why this is not the first try, in words."""
    t = asked.t
    provider = ""
    if security.oidc is not None:
        way = escape(asked.address("/login/oidc"))
        provider = f'<p class="other"><a href="{way}">{escape(t("用{title}登录", title=security.oidc.title))}</a></p>'
    fields = (
        _field(t("账号"), "name", "text", "username", value=name, focus=not name),
        _field(t("密码"), "password", "password", "current-password", focus=bool(name)),
    )
    body = _form(asked, "/login", fields, t("登录"))
    note = f'<p class="note">{escape(t("忘记密码或账号被锁定，请联系系统管理员。所有登录和操作都有记录。"))}</p>'
    return page(asked, "/login", t("登录"), _alert([failed]) + body + provider + note)


def password(asked: Asked, security: Security, forced: bool, wrong: Iterable[str] = ()) -> str:
    """Another password. `forced`: nothing else is open until it is changed."""
    t = asked.t
    why = t("首次登录或密码已到期：请先换一个新密码。") if forced else ""
    rule = (
        t(
            "至少 8 位，含大写字母、小写字母、数字、符号中的三种；不含账号、姓名，不用常见密码和最近 5 次用过的密码；90 天一换。"
        )
        if security.policy == "mlps"
        else t("至少 12 位；不含账号、姓名，不用常见密码和最近 5 次用过的密码。")
    )
    fields = (
        _field(t("原密码"), "old", "password", "current-password", focus=True),
        _field(t("新密码"), "new", "password", "new-password"),
        _field(t("再输一次新密码"), "again", "password", "new-password"),
    )
    lead = f"<p>{escape(why)}</p>" if why else ""
    body = (
        f'{_alert(wrong)}{lead}{_form(asked, "/password", fields, t("保存新密码"))}<p class="note">{escape(rule)}</p>'
    )
    return page(asked, "/password", t("修改密码"), body + (_leave(asked) if forced else _back(asked)))


def second_factor(asked: Asked, wrong: Iterable[str] = ()) -> str:
    t = asked.t
    lead = f"<p>{escape(t('请打开手机上的验证器应用，输入它为本系统显示的 6 位数字。'))}</p>"
    body = _alert(wrong) + lead + _form(asked, "/totp", (_code(t),), t("确认"))
    note = f'<p class="note">{escape(t("手机丢失或换了手机，请联系系统管理员重置。"))}</p>'
    return page(asked, "/totp", t("第二重验证"), body + note + _leave(asked))


def enrol(asked: Asked, name: str, secret: str, sealed: str, wrong: Iterable[str] = ()) -> str:
    """Sets up the second factor; the secret is shown on this page only."""
    t = asked.t
    steps = (
        t("您的角色需要第二重验证。在手机上打开任一验证器应用（离线可用），扫描这个二维码："),
        t("不能扫描时，手工输入这串字符："),
    )
    shown = " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))
    picture = f'<img class="qr" src="{escape(totp.picture(secret, name))}" alt="{escape(t("二维码"))}" width="196" height="196">'
    lead = f"<p>{escape(steps[0])}</p>{picture}<p>{escape(steps[1])}<br><code>{escape(shown)}</code></p>"
    body = _form(asked, "/totp", (_hidden("secret", sealed), _code(t)), t("确认并启用"))
    return page(asked, "/totp", t("设置第二重验证"), _alert(wrong) + lead + body + _leave(asked))


def log_out(asked: Asked) -> str:
    t = asked.t
    return page(asked, "/logout", t("退出"), _form(asked, "/logout", (), t("退出登录")) + _back(asked))


def refusal(asked: Asked, words: str) -> str:
    """Why something is not served, to somebody who is logged in."""
    return page(asked, "/", asked.t("没有打开"), _alert([words]) + _back(asked))


def page(asked: Asked, path: str, title: str, body: str) -> str:
    t = asked.t
    other = next(code for code in LANGUAGES if code != t.code)
    switch = Asked(Language(other), asked.next, asked.token).address(path)
    return f"""<!doctype html>
<html lang="{"zh-CN" if t.code == "zh" else "en"}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · {escape(t("不落 Buluo"))}</title>
<link rel="stylesheet" href="/login/style.css"><link rel="icon" href="/login/icon.png"></head>
<body><main><header><h1>{escape(t("不落 · 低收入人口监测"))}</h1>
<a class="lang" href="{escape(switch)}" lang="{other}">{escape(LANGUAGES[other])}</a></header>
<h2>{escape(title)}</h2>
{body}</main></body></html>"""


def _form(asked: Asked, path: str, fields: Iterable[str], button: str) -> str:
    return (
        f'<form method="post" action="{escape(asked.address(path))}">{_hidden("token", asked.token)}{"".join(fields)}'
        f'<button type="submit">{escape(button)}</button></form>'
    )


def _field(label: str, name: str, kind: str, autocomplete: str, value: str = "", focus: bool = False) -> str:
    shown = f' value="{escape(value)}"' if value else ""
    return (
        f'<label>{escape(label)}<input type="{kind}" name="{name}" autocomplete="{autocomplete}" maxlength="256" required'
        f' autocapitalize="none" spellcheck="false"{shown}{" autofocus" if focus else ""}></label>'
    )


def _code(t: Language) -> str:
    return (
        f'<label>{escape(t("6 位验证码"))}<input name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 ]{{6,9}}"'
        ' maxlength="9" required autofocus></label>'
    )


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def _alert(words: Iterable[str]) -> str:
    said = "".join(f"<p>{escape(text)}</p>" for text in words if text)
    return f'<div class="alert" role="alert">{said}</div>' if said else ""


def _leave(asked: Asked) -> str:
    return f'<p class="other"><a href="{escape(asked.address("/logout"))}">{escape(asked.t("退出"))}</a></p>'


def _back(asked: Asked) -> str:
    return f'<p class="other"><a href="{escape(asked.next)}">{escape(asked.t("返回"))}</a></p>'
