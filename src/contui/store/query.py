"""The filter language: words, ``/regex/``, ``!not``, ``cpu>50 state:exited label:a=b``.

All terms must hold. A word or an expression looks at the item's text; ``field:value`` at one field
(text contains, any case); ``field>number`` compares, with units (``mem>100M``, ``up<10m``).
"""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

Value = str | float | None
Facts = Mapping[str, Callable[[], Value]]
"""Fields of an item, computed when a filter asks for them; ``text`` is what words look at."""
Test = Callable[[Facts], bool]

_COMPARED: Final = re.compile(r"^([a-z_]+)(>=|<=|>|<|=)(-?[\d.]+)([a-z%]*)$", re.IGNORECASE)
_UNFINISHED: Final = re.compile(r"^([a-z_]+)[<>]", re.IGNORECASE)
_FIELD: Final = re.compile(r"^([a-z_]+):(.*)$", re.IGNORECASE)
_TERM: Final = re.compile(r'!?/(?:\\.|[^/\\])*/|!?[a-z_]+:"[^"]*"|!?"[^"]*"|\S+', re.IGNORECASE)
_FACTORS: Final = {
    "": 1, "%": 1, "b": 1, "k": 1 << 10, "kb": 1 << 10, "m": 1 << 20, "mb": 1 << 20,
    "g": 1 << 30, "gb": 1 << 30, "t": 1 << 40, "tb": 1 << 40,
}  # fmt: skip
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed filter."""

    text: str
    tests: tuple[Test, ...]

    def matches(self, facts: Facts) -> bool:
        """Whether every term holds."""
        return all(test(facts) for test in self.tests)


def parse(text: str, fields: frozenset[str], *, times: frozenset[str] = frozenset()) -> Query:
    """A filter over items with these fields; ``times`` are those measured in seconds.

    Raises ValueError with a sentence for people: unknown field, broken expression.
    """
    return Query(text, tuple(_test(term, fields, times) for term in _TERM.findall(text)))


def expression(text: str) -> re.Pattern[str]:
    """A regular expression in any case. Raises ValueError with a sentence for a broken one."""
    try:
        with warnings.catch_warnings():
            # "/[[/" may mean something else in a later Python: not for the screen to be told.
            warnings.simplefilter("ignore")
            return re.compile(text, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"/{text}/ is not a regular expression: {error}") from None


def _test(term: str, fields: frozenset[str], times: frozenset[str]) -> Test:
    bare = term.lstrip("!")
    if bare and bare != term:
        inner, holds = _test(bare, fields, times), (len(term) - len(bare)) % 2 == 0
        return lambda facts: inner(facts) is holds
    if len(term) > 1 and term.startswith("/") and term.endswith("/"):
        pattern = expression(term[1:-1])
        return lambda facts: pattern.search(str(facts["text"]())) is not None
    if compared := _COMPARED.match(term):
        return _comparison(compared, fields, times)
    if (unfinished := _UNFINISHED.match(term)) and unfinished[1].lower() in fields:
        raise ValueError(f"{term}: {unfinished[1]} is compared with a number, such as 50 or 100M")
    if (named := _FIELD.match(term)) and named[1].lower() in fields:
        name, wanted = named[1].lower(), named[2].strip('"').lower()
        return lambda facts: wanted in str(facts[name]() or "").lower()
    word = term.strip('"').lower()
    return lambda facts: word in str(facts["text"]()).lower()


def _comparison(found: re.Match[str], fields: frozenset[str], times: frozenset[str]) -> Test:
    name, sign, number, unit = found[1].lower(), found[2], found[3], found[4].lower()
    if name not in fields:
        near = difflib.get_close_matches(name, fields, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(fields))}"
        raise ValueError(f"there is no field {name}{hint}")
    factors: Mapping[str, int] = _SECONDS if name in times else _FACTORS
    if unit not in factors:
        raise ValueError(f"{found[0]}: {unit} is not a unit of {name}")
    try:
        limit = float(number) * factors[unit]
    except ValueError:
        raise ValueError(f"{found[0]}: {number} is not a number") from None

    def test(facts: Facts) -> bool:
        value = facts[name]()
        if not isinstance(value, int | float):
            return False
        match sign:
            case ">":
                return value > limit
            case "<":
                return value < limit
            case ">=":
                return value >= limit
            case "<=":
                return value <= limit
        return value == limit

    return test
