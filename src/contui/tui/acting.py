"""Doing things to containers: which, how it is asked, what is told before and after."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from contui.model.action import Action
from contui.model.container import Container
from contui.model.errors import EngineError
from contui.model.host import Sizes
from contui.model.image import ImageDetail
from contui.model.units import size
from contui.tui.commands import BY_ID, in_context
from contui.tui.consequences import consequences
from contui.tui.document import Line, line
from contui.tui.keymap import key_label
from contui.tui.screens.dialogs import Ask, Confirm, Field, Pick

if TYPE_CHECKING:
    from contui.tui.screens.base import View
    from contui.tui.screens.containers import ContainersView

_DONE: Final = {
    "start": "started", "stop": "stopped", "restart": "restarted", "pause": "paused",
    "unpause": "resumed", "kill": "killed", "remove": "removed", "rename": "renamed",
    "update": "updated",
}  # fmt: skip
_QUIET: Final = frozenset({"start", "unpause"})
"""Verbs that take nothing down: they ask only where every change is to be confirmed."""
_MANY: Final = 12
_AT_ONCE: Final = 4
"""Actions in flight. Docker 20.10 was seen to deadlock over the network endpoints of containers
that were removed together; four keep a host's stop timeouts short all the same."""


def action(verb: str, target: Container) -> Action:
    """The action of a verb on a container, with the options that make it work in its state."""
    options: dict[str, str | int | float | bool] = {}
    if verb == "remove" and (target.running or target.state == "restarting"):
        options["force"] = True
    return Action(verb, "container", target.id, target.name, options)


def ask(view: View, verb: str, targets: Sequence[Container]) -> None:
    """Confirm where something goes down or is lost, then do it to all of them."""
    if not targets:
        view.contui.say(f"nothing here to {verb}")
        return
    actions = [action(verb, target) for target in targets]
    if verb in _QUIET and view.contui.settings.ui.confirm != "always":
        perform(view, actions)
        return
    view.run_worker(_confirmed(view, verb, targets, actions), group="confirm", exclusive=True)


async def _confirmed(
    view: View, verb: str, targets: Sequence[Container], actions: Sequence[Action]
) -> None:
    sizes: dict[str, Sizes] = {}
    if verb == "remove":
        sizes = await _sizes(view, targets)
    lines: list[Line] = []
    for target, each in list(zip(targets, actions, strict=True))[:_MANY]:
        hit = consequences(each, target, view.session.store.containers, sizes.get(target.id))
        if len(targets) > 1:
            lines.append(line((target.name, "value"), (f"  {target.status}", "dim")))
        lines += [(*line("  " if len(targets) > 1 else ""), *row) for row in hit]
    if len(targets) > _MANY:
        lines.append(line((f"and {len(targets) - _MANY} more", "dim")))
    if not lines:
        lines.append(line(("nothing else is hit", "dim")))
    what = targets[0].name if len(targets) == 1 else f"{len(targets)} containers"
    command = "; ".join(each.command() for each in actions[:3])
    command += f"; and {len(actions) - 3} more" if len(actions) > 3 else ""
    title = f"{verb.capitalize()} {what}?"
    if await view.app.push_screen_wait(Confirm(title, lines, command)):
        perform(view, actions)


async def _sizes(view: View, targets: Sequence[Container]) -> dict[str, Sizes]:
    """What removing would lose, as far as it can be known within a second."""
    found: dict[str, Sizes] = {}
    with contextlib.suppress(TimeoutError, EngineError):
        async with asyncio.timeout(1.0):
            for target in targets[:_MANY]:
                found[target.id] = cast(Sizes, await view.session.engine.fetch("sizes", target.id))
    return found


def perform(view: View, actions: Sequence[Action]) -> None:
    """Do them, a few at once, and tell how it went."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(each: Action) -> None:
        app = view.contui
        try:
            async with gate:
                answer = await view.session.act(each)
        except EngineError as error:
            app.say(f"{each.name or each.kind}: {error}", hint=error.hint, severity="error")
            return
        done = _DONE.get(each.verb, each.verb + " done")
        app.say(f"{each.name or each.kind} {done}" + (f": {answer}" if answer else ""))

    async def every() -> None:
        await asyncio.gather(*(one(each) for each in actions))
        if (table := getattr(view, "table", None)) is not None:
            table.clear_marks()

    _later(view, every(), "actions")


def _later(view: View, work: Coroutine[Any, Any, None], group: str) -> None:
    view.app.run_worker(work, group=group, exit_on_error=True)


def menu(view: ContainersView, targets: Sequence[Container]) -> None:
    """Every command for the row, with its key; bulk ones for several."""
    if not targets:
        return
    title = targets[0].name if len(targets) == 1 else f"{len(targets)} containers"
    options: list[tuple[str, Line]] = []
    for command in in_context("container"):
        if command.id == "container.actions" or not view.contui.allowed(command):
            continue
        keys = view.contui.keys.get(command.id, ())
        label = key_label(keys[0]) if keys else ""
        options.append(
            (
                command.id,
                line((f"{label:<8}", "key"), f"{command.title:<20}", (command.help, "dim")),
            )
        )

    def chosen(id: object) -> None:
        if isinstance(id, str) and id in BY_ID:
            view.call_later(view.contui.run_command, id)

    view.app.push_screen(Pick(title, options), chosen)


def rename(view: View, target: Container | None) -> None:
    """Ask for a name."""
    if target is None:
        return

    def answered(values: object) -> None:
        if isinstance(values, list) and values[0].strip() not in ("", target.name):
            options = {"name": values[0].strip()}
            perform(view, [Action("rename", "container", target.id, target.name, options)])

    view.app.push_screen(Ask(f"Rename {target.name}", [Field("new name", target.name)]), answered)


_LIMITS: Final = (
    ("memory", "memory, such as 512m (docker update --memory)"),
    ("memory_swap", "memory and swap together, such as 1g; the same as memory: no swap"),
    ("cpus", "cpus, such as 1.5"),
    ("pids", "pids, such as 200; -1: no limit"),
    ("restart", "restart policy: no, always, unless-stopped, on-failure[:N]"),
)
_POLICIES: Final = ("no", "always", "unless-stopped", "on-failure")


def parse_size(text: str) -> int:
    """Bytes of ``512m``, ``1.5g``, ``1024``. Raises ValueError with a sentence."""
    body, factor = text.strip().lower().removesuffix("b"), 1
    if body and body[-1] in "kmgt":
        factor = 1 << (10 * ("kmgt".index(body[-1]) + 1))
        body = body[:-1]
    try:
        return int(float(body) * factor)
    except ValueError:
        raise ValueError(f"{text} is not a size; write 512m or 1g") from None


def limit_options(
    values: Mapping[str, str], host: Mapping[str, Any] | None = None
) -> dict[str, str | int | float | bool]:
    """What was typed as options of ``docker update``. Raises ValueError with a sentence.

    ``host`` is the HostConfig now in force: with another memory limit goes as much swap as before,
    since the engine refuses a memory limit above that of memory and swap together.
    """
    options: dict[str, str | int | float | bool] = {}
    for name, text in values.items():
        if not text.strip():
            continue
        if name in ("memory", "memory_swap"):
            options[name] = -1 if text.strip() == "-1" else parse_size(text)
        elif name == "restart":
            if text.strip().partition(":")[0] not in _POLICIES:
                raise ValueError(f"{text} is not a restart policy: {', '.join(_POLICIES)}")
            options[name] = text.strip()
        else:
            try:
                options[name] = float(text) if name == "cpus" else int(text)
            except ValueError:
                raise ValueError(f"{text} is not a number") from None
    if "memory" in options and "memory_swap" not in options:
        options["memory_swap"] = _with_swap(int(options["memory"]), host or {})
    return options


def _with_swap(memory: int, host: Mapping[str, Any]) -> int:
    before, both = host.get("Memory") or 0, host.get("MemorySwap") or 0
    if memory < 0 or both < 0:
        return -1
    # Without a limit so far, or with docker's default: as much swap as memory.
    return memory + both - before if before and both and both != 2 * before else 2 * memory


def _now(host: Mapping[str, Any]) -> dict[str, str]:
    """The limits in force as they would be typed; ``""`` for none."""
    policy: Mapping[str, Any] = host.get("RestartPolicy") or {}
    nano, pids = host.get("NanoCpus") or 0, host.get("PidsLimit") or 0
    return {
        "memory": size(host["Memory"]) if host.get("Memory") else "",
        "memory_swap": size(host["MemorySwap"]) if (host.get("MemorySwap") or 0) > 0 else "",
        "cpus": f"{nano / 1e9:g}" if nano else "",
        "pids": str(pids) if pids > 0 else "",
        "restart": str(policy.get("Name") or "no"),
    }


def update_limits(view: View, target: Container | None) -> None:
    """Ask for limits; what is left empty stays as it is."""
    if target is None:
        return
    names = [name for name, _ in _LIMITS]

    async def work() -> None:
        try:
            document = cast(
                "Mapping[str, Any]", await view.session.engine.fetch("inspect", target.id)
            )
        except EngineError as error:
            view.contui.say(f"{target.name}: {error}", hint=error.hint, severity="error")
            return
        host: Mapping[str, Any] = document.get("HostConfig") or {}
        now = _now(host)
        typed = [""] * len(names)
        while True:
            fields = [
                Field(label, value, f"as it is: {now[name] or 'no limit'}")
                for (name, label), value in zip(_LIMITS, typed, strict=True)
            ]
            answer = await view.app.push_screen_wait(
                Ask(f"Change the limits of {target.name}", fields)
            )
            if not isinstance(answer, list):
                return
            typed = answer
            try:
                options = limit_options(dict(zip(names, typed, strict=True)), host)
            except ValueError as error:
                view.contui.say(str(error), severity="error")
                continue
            break
        if not options:
            return
        update = Action("update", "container", target.id, target.name, options)
        title = f"Change the limits of {target.name}?"
        if await view.app.push_screen_wait(Confirm(title, [], update.command())):
            perform(view, [update])

    _later(view, work(), "limits")


# --- going inside


def _runs(view: View, target: Container | None) -> bool:
    if target is None:
        return False
    if target.state != "running":
        view.contui.say(f"{target.name} does not run: {target.state}", severity="warning")
        return False
    return True


def shell(view: View, target: Container | None) -> None:
    """The best shell that is there, as the user of the container."""
    if target is not None and _runs(view, target):
        settings = view.contui.settings.exec
        view.contui.open_terminal(target, shell_command(settings.shell), user=settings.user)


def shell_command(preferred: str) -> list[str]:
    """A command that becomes the preferred shell, else bash, ash or sh, whichever is there."""
    if preferred:
        return [preferred]
    return ["sh", "-c", "command -v bash >/dev/null 2>&1 && exec bash; exec sh"]


def exec_dialog(view: View, target: Container | None) -> None:
    """Ask for command, user and directory."""
    if target is None or not _runs(view, target):
        return
    settings = view.contui.settings.exec
    fields = [
        Field("command", settings.shell or "sh"),
        Field("user (name or uid, empty: the container's own)", settings.user),
        Field("directory (empty: the container's own)"),
    ]

    def answered(values: object) -> None:
        if not isinstance(values, list) or not values[0].strip():
            return
        import shlex

        try:
            words = shlex.split(values[0])
        except ValueError as error:
            view.contui.say(f"{values[0]}: {error}", severity="error")
            return
        view.contui.open_terminal(
            target, words, user=values[1].strip(), directory=values[2].strip(), pause=True
        )

    view.app.push_screen(Ask(f"Run in {target.name}", fields), answered)


def attach(view: View, target: Container | None) -> None:
    """Connect to its own streams."""
    if target is not None and _runs(view, target):
        view.contui.open_terminal(target, None)


def open_port(view: View, target: Container | None) -> None:
    """Open the first published port, or tell its address where there is no browser."""
    if target is None:
        return
    host = view.session.endpoint.url.partition("://")[2].rpartition("@")[2].partition(":")[0]
    remote = view.session.endpoint.scheme in ("tcp", "ssh")
    published = sorted(
        {p.public: p for p in target.ports if p.public}.values(), key=lambda p: p.public
    )
    if not published:
        view.contui.say(f"{target.name} publishes no port")
        return
    port = published[0]
    address = (
        host
        if remote
        else port.address
        if port.address not in ("", "0.0.0.0", "::")
        else "localhost"
    )
    url = f"{'https' if port.private in (443, 8443) else 'http'}://{address}:{port.public}"
    opened = False
    if view.contui.has_browser:
        import webbrowser

        with contextlib.suppress(webbrowser.Error):
            opened = webbrowser.open(url)
    view.contui.say(f"opened {url}" if opened else url)


def copy_reconstruction(view: View, target: Container | None, *, compose: bool) -> None:
    """Copy the command or the compose file that makes this container again; secrets masked."""
    if target is None:
        return

    async def work() -> None:
        from contui.model.reconstruct import compose_service, docker_run

        engine = view.session.engine
        make: Callable[..., str] = compose_service if compose else docker_run
        try:
            document = cast("Mapping[str, Any]", await engine.fetch("inspect", target.id))
            image: Mapping[str, Any] | None = None
            with contextlib.suppress(EngineError):
                found = cast(ImageDetail, await engine.fetch("image_detail", target.image_id))
                image = found.inspect
        except EngineError as error:
            view.contui.say(str(error), severity="error")
            return
        view.contui.read(
            f"{target.name} as {'compose file' if compose else 'docker run'}",
            make(document, image),
        )

    _later(view, work(), "reconstruct")
