"""Finding secrets in what engines report, so that they are masked until asked for.

Names decide first (``DB_PASSWORD``, ``api-key``), then the value's shape (a URL with a password,
a private key, a token with a well-known prefix).
"""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "••••••"

_NAME: Final = re.compile(
    r"pass(?:word|wd|phrase|code)?(?![a-z])|pwd(?![a-z])|secret|token|api_?key|access_?key|"
    r"private_?key|encryption_?key|signing_?key|credential|auth(?!or|_?url|_?host|_?mode)|"
    r"cookie|session_?key|(?:^|_)(?:key|pw|dsn|salt|otp|pin)$|connection_?string|license_?key|jwt",
    re.IGNORECASE,
)
_NOT_SECRET: Final = re.compile(
    r"_(?:file|path|dir|name|id|ttl|timeout|expiry|length|min|max|type|mode|enabled|host|port)$",
    re.IGNORECASE,
)
_URL: Final = re.compile(r"(?P<head>[a-z][a-z0-9+.-]*://[^\s/:@]*:)(?P<secret>[^\s@/]+)(?=@)", re.I)
_SHAPES: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}"
    r"|AKIA[0-9A-Z]{16}|sk[-_](?:live|test|ant|proj)[-_]?[\w-]{10,}|SG\.[\w-]{16,}\.[\w-]{16,}"
    r"|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*)"
)
_BEARER: Final = re.compile(
    r"(?i)\b(?P<head>(?:bearer|basic)\s+)(?P<secret>[A-Za-z0-9+/=._~-]{8,})"
)
_PAIR: Final = re.compile(
    r"(?P<head>(?P<name>[A-Za-z][\w.-]*)(?:=|:\s?|\s))(?P<secret>\"[^\"]*\"|'[^']*'|[^\s,;&\"']+)"
)
_FLAG: Final = re.compile(r"^--?(?P<name>[A-Za-z][\w.-]*)(?:=(?P<secret>.*))?$", re.DOTALL)


def secret_name(name: str) -> bool:
    """Whether a variable, label or flag of this name holds a secret."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").replace(".", "_")
    return bool(_NAME.search(snake)) and not _NOT_SECRET.search(snake)


def mask(name: str, value: str) -> str:
    """``value`` with its secrets replaced by :data:`MASK`; the same object if it has none."""
    if not value:
        return value
    if secret_name(name) and value.lower() not in ("true", "false", "0", "1", "none", "null"):
        return MASK
    return mask_text(value)


def mask_text(text: str) -> str:
    """Free text with the secrets that show by their shape masked."""
    text = _URL.sub(lambda found: found["head"] + MASK, text)
    text = _SHAPES.sub(MASK, text)
    return _BEARER.sub(lambda found: found["head"] + MASK, text)


def mask_command(text: str) -> str:
    """A command line or shell text: ``--password=x``, ``--token x`` and ``SECRET=x`` masked too."""
    out: list[str] = []
    position = 0
    while found := _PAIR.search(text, position):
        separator = found["head"][len(found["name"]) :]
        flag = text[: found.start()].endswith("-")
        secret = secret_name(found["name"]) and (flag or not separator.isspace())
        out += [text[position : found.end("head")], MASK if secret else ""]
        # What follows a name that is no secret's may be a pair itself: "env TOKEN=x".
        position = found.end() if secret else found.end("head")
    return mask_text("".join(out) + text[position:])


def mask_env(entry: str) -> str:
    """One ``NAME=value`` entry."""
    name, equals, value = entry.partition("=")
    return name + equals + mask(name, value)


def mask_args(arguments: list[str]) -> list[str]:
    """An argument vector: flag values in the same or in the next argument."""
    out: list[str] = []
    pending = False
    for argument in arguments:
        flag = _FLAG.match(argument)
        if pending and not flag:
            out.append(MASK)
            pending = False
            continue
        pending = False
        if flag and secret_name(flag["name"]):
            if flag["secret"] is None:
                pending = True
                out.append(argument)
            else:
                out.append(argument.partition("=")[0] + "=" + MASK)
        else:
            out.append(mask_command(argument))
    return out
