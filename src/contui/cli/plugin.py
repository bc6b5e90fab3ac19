"""contui as a plugin of the docker command: ``docker --context prod contui``.

The protocol is docker/cli ``docs/extend/cli_plugins.md``: docker runs ``docker-contui`` with its
own command line unchanged, ``[GLOBAL OPTIONS] contui [ARGUMENTS]``, and asks for metadata with
``docker-cli-plugin-metadata``. Checked with the docker command 28.2.

Imported before anything heavy: ``docker help`` asks every plugin for its metadata.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import MutableMapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from contui import __version__
from contui.model.errors import ConfigError

METADATA_COMMAND: Final = "docker-cli-plugin-metadata"
_NAME: Final = "contui"
_FILE: Final = f"docker-{_NAME}"
_SHORT: Final = {
    "D": "debug", "H": "host", "c": "context", "h": "help", "l": "log-level", "v": "version",
}  # fmt: skip
_FLAGS: Final = frozenset({"debug", "help", "tls", "tlsverify", "version"})
"""docker's global options without a value; all others have one."""
_CERTIFICATES: Final = {"tlscacert": "ca.pem", "tlscert": "cert.pem", "tlskey": "key.pem"}


def metadata() -> str:
    """What docker wants to know of a plugin, as JSON."""
    return json.dumps(
        {
            "SchemaVersion": "0.1.0",
            "Vendor": "contui",
            "Version": __version__,
            "ShortDescription": "Console for containers: what is broken, and why",
        }
    )


def is_plugin(argv0: str) -> bool:
    """The program was started under the plugin's name."""
    return Path(argv0).name == _FILE


def install(config_dir: Path, program: Path | None = None) -> Path:
    """Make ``docker contui`` start ``program``, by default the running contui.

    Args:
        config_dir: docker's configuration, ``$DOCKER_CONFIG`` or ``~/.docker``.
        program: The executable to link to.

    Returns:
        The link that was made.

    Raises:
        ConfigError: there is no contui command, a file is in the way, or the folder cannot be
            written to.
    """
    link = config_dir / "cli-plugins" / _FILE
    target = program if program is not None else _program()
    if link.exists() and not link.is_symlink():
        raise ConfigError(f"{link} is a file, not made by contui", hint=f"rm {_quoted(link)}")
    try:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    except OSError as error:
        raise _failed(link, error) from error
    return link


def uninstall(config_dir: Path) -> Path | None:
    """Remove the link of :func:`install`; ``None`` when there is none. Raises ConfigError."""
    link = config_dir / "cli-plugins" / _FILE
    if not link.is_symlink():
        if link.exists():
            raise ConfigError(f"{link} is a file, not made by contui", hint=f"rm {_quoted(link)}")
        return None
    try:
        link.unlink()
    except OSError as error:
        raise _failed(link, error) from error
    return link


def strip_plugin_args(
    argv: Sequence[str], argv0: str, environ: MutableMapping[str, str] = os.environ
) -> list[str]:
    """The arguments meant for contui, whether docker ran it (``argv0`` tells) or a person.

    Docker's ``--host`` and ``--context`` become contui's, in front of the others so that those go
    first. Its ``--config`` and TLS options become the variables that mean the same, in ``environ``;
    ``--debug`` and ``--log-level`` are docker's own affair. ``docker help contui`` is ``--help``.

    Raises:
        ConfigError: an option's value is missing, two hosts, or certificates that the variables
            cannot name.
    """
    if not is_plugin(argv0) or _NAME not in argv:
        return list(argv)
    if argv[0] == "help":
        return [*argv[argv.index(_NAME) + 1 :], "--help"]
    options, rest = _split(argv)
    given = dict(options)
    if [name for name, _ in options].count("host") > 1:
        raise ConfigError("docker takes only one -H")
    if given.get("config"):
        environ["DOCKER_CONFIG"] = given["config"]
    _tls(given, environ)
    own = [part for key in ("host", "context") if key in given for part in (f"--{key}", given[key])]
    return own + [f"--{key}" for key in ("help", "version") if _on(given.get(key))] + rest


def _split(argv: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """The global options by long name, ``"true"`` for bare flags, and what follows the name.

    The syntax is pflag's: ``-Dc prod``, ``-c=prod``, ``--context=prod``.
    """
    words = list(argv)
    options: list[tuple[str, str]] = []
    while words:
        word = words.pop(0)
        if word == _NAME:
            return options, words
        while word[:1] == "-" and _SHORT.get(word[1:2]) in _FLAGS and word[2:]:
            options.append((_SHORT[word[1]], "true"))  # -Dc is -D -c
            word = "-" + word[2:]
        if word.startswith("--"):
            name, given, value = word[2:].partition("=")
        else:
            name, given, value = _SHORT.get(word[1:2], ""), word[2:], word[2:].removeprefix("=")
        if name in _FLAGS:
            value = value if given else "true"
        elif not given:
            if not words:
                break
            value = words.pop(0)
        options.append((name, value))
    raise ConfigError(f"cannot read docker's options: {shlex.join(argv)}")


def _on(value: str | None) -> bool:
    """A flag's value as pflag reads it; ``None`` when it was not given."""
    return value is not None and value.lower() in ("true", "t", "1")


def _tls(given: dict[str, str], environ: MutableMapping[str, str]) -> None:
    """``--tls``, ``--tlsverify`` and the certificates as variables.

    Any mention of ``--tlsverify`` turns TLS on (docker/cli ``cli/flags/options.go``).
    """
    for option, variable in (("tls", "DOCKER_TLS"), ("tlsverify", "DOCKER_TLS_VERIFY")):
        if option in given:
            environ.pop(variable, None)
            if _on(given[option]):
                environ[variable] = "1"
    if "tlsverify" in given:
        environ["DOCKER_TLS"] = "1"
    folders = set()
    for option, name in _CERTIFICATES.items():
        if option in given:
            path = PurePosixPath(given[option])
            folders.add(str(path.parent))
            if path.name != name:
                folders.add("")
    if not folders:
        return
    if len(folders) > 1:
        raise ConfigError(
            "contui reads certificates only as ca.pem, cert.pem and key.pem of one folder",
            hint="docker context create NAME --docker host=tcp://HOST:PORT,ca=...,cert=...,key=...",
        )
    environ["DOCKER_CERT_PATH"] = folders.pop()


def _program() -> Path:
    """The contui command that runs now, as it was called, so that the link outlives an upgrade."""
    # Not resolved: package managers keep the name in PATH and change what it points to.
    started = Path(sys.argv[0])
    called = started.resolve() if is_plugin(sys.argv[0]) else started.absolute()
    for candidate in (called, Path(sys.executable).with_name(_NAME)):
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    raise ConfigError("there is no contui command to link to", hint="pipx install contui")


def _failed(link: Path, error: OSError) -> ConfigError:
    return ConfigError(f"{link}: {error.strerror}", hint=f"ls -ld {_quoted(link.parent)}")


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
