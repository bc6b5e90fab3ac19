"""Finding secrets in what engines report, so that they are masked until asked for.

Names decide first (``DB_PASSWORD``, ``api-key``), then the value's shape (a URL with a password,
a private key, a token with a well-known prefix).
"""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "••••••"

_NAME: Final = re.compile(
    r"(?<!com)(?<!by)pass(?:word|wd|phrase|code)?(?![a-z])|pwd(?![a-z])|secret|token|api_?key|"
    r"access_?key|private_?key|encryption_?key|signing_?key|credential|"
    r"auth(?!or|_?url|_?host|_?mode|_?method|entication_?method)|cookie|session_?key|"
    r"(?:^|_)(?:key|pw|dsn|salt|otp|pin)$|connection_?string|license_?key|jwt",
    re.IGNORECASE,
)
_NOT_SECRET: Final = re.compile(
    r"_(?:file|path|dir|name|id|ttl|timeout|expiry|length|limit|min|max|type|mode|enabled|host|port|"
    r"domain|sock)$|^max_|tokeniz|public_?key",
    re.IGNORECASE,
)
_PLAIN: Final = frozenset({"PWD", "OLDPWD", "GPG_KEY"})
"""What shells and official images set: directories, and the fingerprint of a signing key."""

# All of the text may be a container's: repetitions have bounds where a search starts anew inside
# them, so that no text takes more than linear time.
_URL: Final = re.compile(
    r"(?P<head>(?<![a-z0-9])[a-z][a-z0-9+.-]{0,30}://[^\s/:@]*:)"
    r"(?P<secret>[^\s@/]+(?:@[^\s@/\"',;]+)*)(?=@)",
    re.I,
)
_SHAPES: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}"
    r"|A[KS]IA[0-9A-Z]{16}|sk[-_](?:live|test|ant|proj)[-_]?[\w-]{10,}|sk-[A-Za-z0-9]{32,}"
    r"|AIza[\w-]{35}|npm_[A-Za-z0-9]{30,}|dckr_pat_[\w-]{20,}|hvs\.[\w-]{20,}"
    r"|SG\.[\w-]{16,}\.[\w-]{16,})"
    r"|(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"
    r"|(?<=hooks\.slack\.com/services/)[\w/-]+"
    r"|(?<=/api/webhooks/)\d+/[\w-]+"
)
_BEARER: Final = re.compile(
    r"\b(?P<head>(?i:bearer|basic)\s+)"
    r"(?P<secret>(?=\S*(?:[\d=]|[a-z][A-Z])|\S{20})[A-Za-z0-9+/=._~-]{8,})"
)
_JSON: Final = re.compile(
    r"(?P<head>\"(?P<name>[\w.-]{1,80})\"\s{0,9}:\s{0,9}\")(?P<secret>(?:\\.|[^\"\\])+)"
)
_HEAD: Final = re.compile(
    r"(?<![A-Za-z0-9_])(?P<name>[A-Za-z][\w.-]{0,80})(?P<separator>\s?=\s?|:\s?|\s(?!-))"
)
_VALUE: Final = re.compile(
    r"""(?:"(?:\\.|[^"\\])*(?:"|$)|'[^']*(?:'|$))+[^\s,;&"']*"""
    r"""|(?:[^\s,;&"']|[,;&](?=[^\s,;&"'])(?![\w. -]*[=:]))+"""
)
_CLIENT: Final = re.compile(
    r"(?P<head>\b(?:(?:mysql|mariadb)[\w-]{0,20}[\s\0](?:[^|;&\n]{0,200}?[\s\0])?-p"
    r"|redis-cli[\s\0](?:[^|;&\n]{0,200}?[\s\0])?-a[\s\0]|sshpass[\s\0]-p[\s\0]?"
    r"|curl[\s\0](?:[^|;&\n]{0,200}?[\s\0])?(?:-u|--user)[\s\0=]?[^\s\0:]{0,80}:))"
    r"(?P<secret>[^\s\0\"']+)"
)
"""Clients whose flag for the password tells nothing by its name."""
_FLAG: Final = re.compile(r"^--?(?P<name>[A-Za-z][\w.-]*)(?:=(?P<secret>.*))?$", re.DOTALL)


def secret_name(name: str) -> bool:
    """Whether a variable, label or flag of this name holds a secret."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").replace(".", "_")
    return name not in _PLAIN and bool(_NAME.search(snake)) and not _NOT_SECRET.search(snake)


def mask(name: str, value: str) -> str:
    """``value`` with its secrets replaced by :data:`MASK`."""
    if not value:
        return value
    if secret_name(name) and value.lower() not in ("true", "false", "0", "1", "none", "null"):
        return MASK
    return mask_text(_mask_pairs(value, flags=True))


def mask_text(text: str) -> str:
    """Free text with the secrets masked that show by their shape or by ``password=``."""
    text = _mask_pairs(text)
    text = _JSON.sub(_mask_json, text)
    text = _URL.sub(lambda found: found["head"] + MASK, text)
    text = _SHAPES.sub(MASK, text)
    return _BEARER.sub(lambda found: found["head"] + MASK, text)


def mask_command(text: str) -> str:
    """A command line or shell text: ``--password=x``, ``--token x`` and ``SECRET=x`` masked too."""
    return mask_text(_mask_pairs(_mask_clients(text), flags=True, colons=True))


def _mask_clients(text: str) -> str:
    return _CLIENT.sub(lambda found: found["head"] + MASK, text)


def _mask_json(found: re.Match[str]) -> str:
    return found["head"] + MASK if secret_name(found["name"]) else found[0]


def _mask_pairs(text: str, *, flags: bool = False, colons: bool = False) -> str:
    """``name=value``, with ``flags`` also ``--name value``, with ``colons`` ``name: value``."""
    out: list[str] = []
    position = start = 0
    while found := _HEAD.search(text, position):
        position = found.end()
        separator = found["separator"]
        if separator.isspace():
            counts = flags and text.endswith("-", 0, found.start())
        else:
            counts = colons or "=" in separator
        # What follows a name that is no secret's may be a pair itself: "env TOKEN=x".
        if counts and secret_name(found["name"]) and (secret := _VALUE.match(text, position)):
            out += [text[start:position], MASK]
            position = start = secret.end()
    return "".join(out) + text[start:] if out else text


def mask_env(entry: str) -> str:
    """One ``NAME=value`` entry."""
    name, equals, value = entry.partition("=")
    return name + equals + mask(name, value)


def mask_args(arguments: list[str]) -> list[str]:
    """An argument vector: flag values in the same or in the next argument."""
    out: list[str] = []
    pending = False
    # An argument has no NUL; an engine that sends one must not make two of it.
    joined = "\0".join(argument.replace("\0", "") for argument in arguments)
    for argument in _mask_clients(joined).split("\0") if arguments else ():
        flag = _FLAG.match(argument)
        if pending and not argument.startswith("-"):
            out.append(MASK)
            pending = False
            continue
        pending = False
        if not flag or not secret_name(flag["name"]):
            out.append(mask_command(argument))
        elif flag["secret"] is None:
            pending = True
            out.append(argument)
        else:
            out.append(argument.partition("=")[0] + "=" + MASK)
    return out
