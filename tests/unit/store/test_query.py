import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contui.store.query import parse

FIELDS = frozenset({"text", "name", "cpu", "mem", "up", "state", "label", "image"})
TIMES = frozenset({"up"})
ITEM: dict[str, Any] = {
    "text": "shop-web-1 nginx:1.27 Up 3 hours",
    "name": "shop-web-1",
    "image": "nginx:1.27",
    "cpu": 57.5,
    "mem": 200 << 20,
    "up": 3 * 3600,
    "state": "running",
    "label": "tier=front a=b",
}


def matches(text: str, **changes: Any) -> bool:
    facts = {name: (lambda value=value: value) for name, value in {**ITEM, **changes}.items()}
    return parse(text, FIELDS, times=TIMES).matches(facts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "web",
        "WEB nginx",
        '"Up 3 hours"',
        "/web-[0-9]$|hours/",
        r"/1\.27/",
        "/SHOP/",
        "!redis",
        "!/^redis/",
        "!state:exited",
        "state:running",
        "State:RUN",
        "label:a=b",
        'label:"front a"',
        "image:nginx:1.27",
        "cpu>50",
        "cpu>=57.5",
        "cpu<58%",
        "cpu=57.5",
        "mem>100M",
        "mem<0.2g",
        "mem<=200mb",
        "up>10m",
        "up<1d",
        "up=3h",
        "!cpu>90",
        "!!web",
        "!" * 5000 + "web",
        "web cpu>50 !redis",
        "nginx:1.27",
    ],
)
def test_a_term_that_holds(text: str) -> None:
    assert matches(text)


@pytest.mark.parametrize(
    "text",
    [
        "redis",
        "web redis",
        "/^web/",
        "!web",
        "!!!web",
        "!",
        "!state:running",
        "state:exited",
        "cpu>57.5",
        "cpu<50",
        "mem>1g",
        "up<10m",
        "!cpu>50",
        "a/b",
        "other:thing",
        '"hours Up"',
    ],
)
def test_a_term_that_does_not_hold(text: str) -> None:
    assert not matches(text)


@pytest.mark.parametrize("text", ["cpu>0", "cpu<1", "cpu=0"])
def test_what_is_not_reported_compares_with_nothing(text: str) -> None:
    assert not matches(text, cpu=None)
    assert not matches("state:x", state=None)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("cpi>5", "there is no field cpi; did you mean cpu?"),
        ("zzz>5", "there is no field zzz; known are cpu, image, label"),
        ("/a(/", "/a(/ is not a regular expression"),
        ("mem>5h", "h is not a unit of mem"),
        ("up>5g", "g is not a unit of up"),
        ("cpu>1.2.3", "1.2.3 is not a number"),
        ("/a{4294967295}/", "is not a regular expression"),
        ("/" + "(" * 3000 + ")" * 3000 + "/", "is not a regular expression"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        matches(text)


def test_only_the_fields_that_are_asked_for_are_computed() -> None:
    facts = {"text": lambda: "web", "cpu": lambda: pytest.fail("computed")}
    assert parse("web", FIELDS).matches(facts)


fragments = st.sampled_from(
    ["!", "/", '"', ":", ">", "<=", "=", "cpu", "up", "mem", "5", ".", "g", "%", " ", "(", "[", "*",
     "\\", "label", "{9}", "?", "+", "|", "-", "\n", "1e", "9" * 400]
)  # fmt: skip


@given(st.text() | st.lists(fragments, max_size=12).map("".join))
def test_no_text_breaks_the_filter(text: str) -> None:
    try:
        query = parse(text, FIELDS, times=TIMES)
    except ValueError as error:
        assert str(error)
        return
    facts = {name: (lambda value=value: value) for name, value in ITEM.items()}
    assert query.matches(facts) in (True, False)
