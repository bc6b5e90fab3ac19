"""Read the settings: defaults, then the file, then the environment.

A setting that is wrong ends the start with a sentence instead of being ignored: it names the file,
the key, what was expected and the nearest name that exists.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from contui.config.settings import OPTIONS, SECTIONS, Option, Settings
from contui.model.errors import ConfigError

_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})


def config_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of the user's files: ``$XDG_CONFIG_HOME/contui``.

    A relative ``XDG_CONFIG_HOME`` is ignored (XDG Base Directory Specification, "Basics").
    """
    base = environ.get("XDG_CONFIG_HOME", "")
    if base.startswith("/"):
        return Path(base, "contui")
    home = environ.get("HOME")
    return (Path(home) if home else Path.home()) / ".config" / "contui"


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of ``path`` or of ``config.toml`` in :func:`config_dir`, and the environment.

    ``CONTUI_<SECTION>_<KEY>`` (``CONTUI_UI_THEME``, ``CONTUI_READ_ONLY``) goes before the file; an
    empty variable is as none. Lists are separated by commas.

    Raises:
        ConfigError: the file cannot be read or parsed, ``path`` does not exist, or a key or a value
            is wrong.
    """
    file = path if path is not None else config_dir(environ) / "config.toml"
    values = dict(_from_file(_document(file, required=path is not None), str(file)))
    values |= _from_environment(environ)
    if values.get("endpoint.host") and values.get("endpoint.context"):
        raise ConfigError(f"{file}: endpoint.host and endpoint.context exclude each other")
    sections = {
        name: kind(
            **{
                option.name: values[option.path]
                for option in OPTIONS
                if option.section == name and option.path in values
            }
        )
        for name, kind in SECTIONS.items()
    }
    top = {o.name: values[o.path] for o in OPTIONS if not o.section and o.path in values}
    return Settings(**top, **sections)


def expected(option: Option) -> str:
    """What the value must be, in words."""
    kind = option.kind
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(get_args(kind))
    if get_origin(kind) is tuple:
        return "a list of " + ", ".join(get_args(get_args(kind)[0]))
    if kind in (int, float):
        return f"a {'whole ' if kind is int else ''}number from {option.low:_} to {option.high:_}"
    return {bool: "true or false", str: "a text in quotes"}.get(kind, "a key or a list of keys")


def _document(file: Path, *, required: bool) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError:
        if required:
            raise ConfigError(f"{file} does not exist") from None
        return {}
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}", hint=f"ls -l {file}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not valid TOML: {error}") from error


def _from_file(document: Mapping[str, Any], source: str) -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if name not in SECTIONS:
            yield _item("", name, value, source)
        elif not isinstance(value, dict):
            raise ConfigError(f"{source}: {name}: expected a table, [{name}]")
        else:
            yield from (_item(name, key, leaf, source) for key, leaf in value.items())


def _item(section: str, name: str, value: object, source: str) -> tuple[str, Any]:
    for option in OPTIONS:
        if (option.section, option.name) == (section, name):
            return option.path, _checked(option, value, source)
    path = f"{section}.{name}" if section else name
    near = _nearest(section, name)
    raise ConfigError(
        f"{source}: there is no setting {path}" + (f"; did you mean {near}?" if near else "")
    )


def _nearest(section: str, name: str) -> str:
    """The setting that was probably meant: of the same section if there is one."""
    here = {option.name: option.path for option in OPTIONS if option.section == section}
    if not section:
        here |= {each: f"[{each}]" for each in SECTIONS}
    everywhere = {option.name: option.path for option in OPTIONS}
    for known in (here, everywhere):
        found = difflib.get_close_matches(name, known, n=1)
        if found:
            return known[found[0]]
    return ""


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    known = {f"CONTUI_{o.path.replace('.', '_').upper()}": o for o in OPTIONS if o.name != "keys"}
    prefixes = tuple(f"CONTUI_{section.upper()}_" for section in SECTIONS)
    values = {}
    for name, text in environ.items():
        option = known.get(name)
        if option is not None and text:
            values[option.path] = _checked(option, _typed(option, text), name)
        elif option is None and name.startswith("CONTUI_"):
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
            if not near and not name.startswith(prefixes):
                continue
            raise ConfigError(
                f"{name} in the environment is no setting"
                + (f"; did you mean {near[0]}?" if near else "")
            )
    return values


def _typed(option: Option, text: str) -> object:
    """The text of a variable as TOML would give it; as it is when it cannot be read so."""
    if option.kind is bool:
        lower = text.strip().lower()
        return True if lower in _YES else False if lower in _NO else text
    if option.kind in (int, float):
        try:
            return option.kind(text)
        except ValueError:
            return text
    if get_origin(option.kind) is tuple:
        return [part.strip() for part in text.split(",")]
    return text


def _checked(option: Option, value: object, source: str) -> object:
    """The value as the setting's type, or a ConfigError that says what was expected."""
    kind = option.kind
    good = False
    if get_origin(kind) is Literal:
        good = value in get_args(kind)
    elif get_origin(kind) is tuple:
        return _columns(option, value, source)
    elif kind in (bool, str):
        good = isinstance(value, kind)
    elif kind in (int, float):
        number = int if kind is int else (int, float)
        if isinstance(value, number) and not isinstance(value, bool):
            good = (option.low or 0) <= value <= (option.high or 0)
            value = kind(value) if good else value
    else:
        return dict(_keys(option, value, source))
    if not good:
        raise _wrong(option, value, source)
    return value


def _columns(option: Option, value: object, source: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise _wrong(option, value, source)
    for each in value:
        if each not in get_args(get_args(option.kind)[0]):
            raise _wrong(option, each, source)
        if value.count(each) > 1:
            raise ConfigError(f"{source}: {option.path}: {each} is there twice")
    return tuple(value)


def _keys(
    option: Option, value: object, source: str, prefix: str = ""
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Keys by command id. An id written without quotes is nested tables in TOML."""
    if not isinstance(value, dict):
        raise ConfigError(f"{source}: {option.path}: expected a table, [{option.path}]")
    for name, keys in value.items():
        id = f"{prefix}{name}"
        if isinstance(keys, dict):
            yield from _keys(option, keys, source, f"{id}.")
            continue
        listed = [keys] if isinstance(keys, str) else keys
        if not isinstance(listed, list) or not all(isinstance(key, str) for key in listed):
            raise ConfigError(
                f"{source}: {option.path}.{id} = {_shown(keys)}: expected {expected(option)}"
            )
        yield id, tuple(key for key in listed if key)


def _wrong(option: Option, value: object, source: str) -> ConfigError:
    near: list[str] = []
    if isinstance(value, str) and get_origin(option.kind) in (Literal, tuple):
        literal = get_args(option.kind)[0] if get_origin(option.kind) is tuple else option.kind
        near = difflib.get_close_matches(value, get_args(literal), n=1)
    return ConfigError(
        f"{source}: {option.path} = {_shown(value)}: expected {expected(option)}"
        + (f"; did you mean {near[0]}?" if near else "")
    )


def _shown(value: object) -> str:
    """A value as TOML writes it, as far as it helps to find it in the file."""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
