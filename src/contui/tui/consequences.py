"""What an action hits besides its target: told before it is confirmed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from contui.model.action import Action
from contui.model.container import Container
from contui.model.host import Sizes
from contui.model.units import size
from contui.tui.columns import ports
from contui.tui.document import Line, line

_DOWN = frozenset({"stop", "kill", "remove", "restart", "pause"})


def consequences(
    action: Action,
    target: Container,
    containers: Mapping[str, Container],
    sizes: Sizes | None = None,
) -> list[Line]:
    """A line for each thing hit: dependants, ports, data, what the restart policy will do."""
    lines: list[Line] = []
    if action.verb in _DOWN and target.running:
        lines += _dependants(target, containers.values())
        if published := ports(target):
            for_now = " for a moment" if action.verb == "restart" else ""
            lines.append(line(("published ports go dark" + for_now + ": ", "warning"), published))
        lines += _policy(action, target)
    if action.verb == "remove":
        lines += _data(action, target, containers.values(), sizes)
    return lines


def _dependants(target: Container, containers: Iterable[Container]) -> list[Line]:
    lines: list[Line] = []
    sharing, depending = [], []
    for other in containers:
        if other.id == target.id or not other.running:
            continue
        mode = other.detail.network_mode if other.detail is not None else ""
        if mode in (f"container:{target.id}", f"container:{target.name}"):
            sharing.append(other.name)
        depends = other.labels.get("com.docker.compose.depends_on", "")
        services = {part.split(":")[0] for part in depends.split(",") if part}
        if target.service in services and other.project == target.project:
            depending.append(other.name)
    if sharing:
        lines.append(line(("lose their network: ", "critical"), ", ".join(sorted(sharing))))
    if depending:
        lines.append(line(("depend on it: ", "warning"), ", ".join(sorted(depending))))
    return lines


def _policy(action: Action, target: Container) -> list[Line]:
    detail = target.detail
    if detail is None or detail.restart_policy in ("", "no"):
        return []
    policy = detail.restart_policy
    if action.verb == "stop":
        back = "it comes back when the engine restarts" if policy == "always" else "it stays down"
        return [line(("restart policy ", "label"), f"{policy}: {back}")]
    if action.verb == "kill":
        return [line(("restart policy ", "label"), f"{policy}: killed by hand, it stays down")]
    return []


def _data(
    action: Action, target: Container, containers: Iterable[Container], sizes: Sizes | None
) -> list[Line]:
    lines: list[Line] = []
    written = sizes.writable if sizes is not None else None
    if written:
        lines.append(
            line(("lost for ever: ", "critical"), f"{size(written)} in its writable layer")
        )
    elif sizes is None:
        lines.append(line(("lost for ever: ", "critical"), "whatever it wrote outside its volumes"))
    if action.options.get("volumes"):
        elsewhere = {name for other in containers if other.id != target.id for name in other.mounts}
        anonymous = [m for m in target.mounts if len(m) == 64 and m not in elsewhere]
        if anonymous:
            known = dict(sizes.volumes) if sizes is not None else {}
            total = sum(known.get(name) or 0 for name in anonymous)
            note = f" ({size(total)})" if total else ""
            lines.append(
                line(("lost for ever: ", "critical"), f"{len(anonymous)} anonymous volumes{note}")
            )
    named = [mount for mount in target.mounts if mount and len(mount) != 64]
    if named:
        lines.append(line(("kept: ", "ok"), ", ".join(named)))
    return lines
