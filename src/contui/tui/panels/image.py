"""Image: what the container was made of, and what each layer adds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from contui.model import units
from contui.model.image import ImageDetail
from contui.model.secrets import mask_command, mask_env
from contui.tui.document import BLANK, Cell, Line, Span, field, heading, table
from contui.tui.panels import reading
from contui.tui.panels.layout import crop, fit, hang, warning
from contui.tui.panels.subject import Panel, Subject

_NOP: Final = re.compile(r"^/bin/sh -c #\(nop\)\s+")
_SHELL: Final = re.compile(
    r"^(?:RUN )?(?:\|\d+ (?P<arguments>.*?) )?/bin/(?:ba|da)?sh -c ", re.DOTALL
)
_BUILDKIT: Final = re.compile(r"\s*# buildkit\s*$")
_STEP_LINES: Final = 3


def render(subject: Subject, width: int) -> list[Line]:
    """Identity, configuration and layers."""
    out = reading.notes(subject, "inspect", "image")
    container, detail = subject.container, subject.image.value
    reference = reading.text(reading.inspected(subject), "Config", "Image") or container.image
    identity = container.image_id or reading.text(reading.inspected(subject), "Image")
    out.append(field("reference", (reference or "-", "value")))
    out.append(field("id", Span(_short(identity) or "-", copy=identity)))
    if detail is None:
        return fit(out, width)
    if detail.newer:
        words = (
            f"The tag now points at another image, {_short(detail.newer)}: this one is outdated,"
        )
        out.append(warning(f"{words} recreate the container to use the new one."))
    out += _identity(subject, detail)
    out += [BLANK, *_configuration(subject, detail.inspect)]
    out += _layers(subject, detail.history, width)
    return fit(out, width)


def _short(identity: str) -> str:
    return identity.removeprefix("sha256:")[:12]


def _identity(subject: Subject, detail: ImageDetail) -> list[Line]:
    document = detail.inspect
    tags = [each for each in reading.strings(document, "RepoTags") if each != "<none>:<none>"]
    digests = reading.strings(document, "RepoDigests")
    created = reading.time_of(document, "Created")
    out = [field("tags", ", ".join(tags)) if tags else field("tags", ("none: dangling", "dim"))]
    if digests:
        out += [field("digest" if not index else "", each) for index, each in enumerate(digests)]
    else:
        out.append(field("digest", ("none: built here, or never pulled from a registry", "dim")))
    age = reading.ago(subject.now, created)
    out.append(field("created", age or "-", (f"  {reading.moment(created)}", "dim")))
    base = _base(subject, detail.history)
    if base:
        out.append(field("base", *base))
    system = reading.text(document, "Os")
    parts = [system, reading.text(document, "Architecture"), reading.text(document, "Variant")]
    platform = "/".join(filter(None, parts))
    out.append(field("platform", platform or "-", *_foreign(subject, document)))
    size = reading.number(document, "Size")
    layers = len(reading.items(document, "RootFS", "Layers"))
    words = f"  in {layers} layers" if layers else ""
    out.append(field("size", (units.size(size), "value"), (words, "dim")))
    return out


def _foreign(subject: Subject, document: Mapping[str, Any]) -> list[Cell]:
    """A remark where the image was built for another processor than the host's."""
    names = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
    host = names.get(subject.info.architecture, subject.info.architecture)
    own = reading.text(document, "Architecture")
    if not host or not own or host == own:
        return []
    return [(f"  the host is {host}: it is emulated, or does not start", "warning")]


def _base(subject: Subject, history: Sequence[Mapping[str, Any]]) -> list[Cell]:
    """The oldest layers: they were made in one go, before those of the image itself."""
    if not history:
        return []
    oldest = history[-1]
    made = reading.number(oldest, "Created") or 0
    step = clean_step(reading.text(oldest, "CreatedBy"))
    names = [tag for each in history[1:] for tag in reading.strings(each, "Tags")]
    parts: list[Cell] = [", ".join(names) if names else crop(step, 60)]
    if made > 0:
        parts.append((f"  {reading.ago(subject.now, made)}", "dim"))
    return parts


def _configuration(subject: Subject, document: Mapping[str, Any]) -> list[Line]:
    config = reading.table_of(document, "Config") or reading.table_of(document, "ContainerConfig")
    out = [heading("What it sets")]
    for label, key in (("entrypoint", "Entrypoint"), ("command", "Cmd")):
        vector = reading.strings(config, key)
        shown = reading.arguments(subject, f"image:{key}", vector) if vector else ("-", "dim")
        out.append(field(label, shown))  # type: ignore[arg-type]
    user = reading.text(config, "User")
    out.append(field("user", user or "root", ("" if user else "  not set", "dim")))
    out.append(field("working dir", reading.text(config, "WorkingDir") or "/"))
    for label, key in (("exposed", "ExposedPorts"), ("volumes", "Volumes")):
        names = sorted(map(str, reading.table_of(config, key)))
        out.append(field(label, ", ".join(names)) if names else field(label, ("none", "dim")))
    signal = reading.text(config, "StopSignal")
    if signal:
        out.append(field("stop signal", signal))
    for index, entry in enumerate(reading.strings(config, "Env")):
        span = reading.secret(
            subject, f"image-env:{entry.partition('=')[0]}", mask_env(entry), entry
        )
        out.append(field("" if index else "environment", span))
    return out


def clean_step(created_by: str) -> str:
    """What made a layer, as its Dockerfile had it: without the builder's shell and markers."""
    step = _BUILDKIT.sub("", created_by.strip())
    if _NOP.match(step):
        return re.sub(r"\s+", " ", _NOP.sub("", step)).strip()
    found = _SHELL.match(step)
    if found:
        step = "RUN " + step[found.end() :]
    return re.sub(r"\s+", " ", step).strip()


def _layers(subject: Subject, history: Sequence[Mapping[str, Any]], width: int) -> list[Line]:
    if not history:
        return [BLANK, heading("Layers", "the engine reports no history")]
    total = sum(reading.number(each, "Size") or 0 for each in history)
    largest = max((reading.number(each, "Size") or 0 for each in history), default=0)
    rows: list[list[Cell]] = []
    for index, each in enumerate(history):
        size = reading.number(each, "Size")
        made = reading.number(each, "Created") or 0
        age = units.duration(subject.now - made) if made > 0 else units.NONE
        step = clean_step(reading.text(each, "CreatedBy")) or reading.text(each, "Comment") or "-"
        span = reading.secret(subject, f"history:{index}", mask_command(step), step)
        text = crop(span.text, _STEP_LINES * max(20, width - 18))
        quiet = not size
        big = bool(size) and size == largest and len(history) > 1
        rows.append(
            [
                (units.size(size) if size else "0", "dim" if quiet else "value" if big else ""),
                (age, "dim"),
                Span(text, "dim" if quiet else "", span.copy, span.reveal),
            ]
        )
    head = heading("Layers", f"{len(history)} steps, newest first, {units.size(total)} in all")
    lines = table(["SIZE", "AGE", "MADE BY"], rows, right=frozenset({0, 1}))
    return [BLANK, head, *hang(lines, width)]


PANEL: Final = Panel("image", "Image", ("inspect", "image"), render)
