"""Completion scripts for bash, zsh and fish, generated from the argument parser.

All three work alike: find the subcommand in the words so far, then offer its words, or the values
of the option before the cursor.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Final

SHELLS: Final = ("bash", "zsh", "fish")
_CONTEXTS: Final = "docker context ls -q 2>/dev/null"


@dataclass(frozen=True)
class _Node:
    """A command: ``path`` is ``"config"``, or ``""`` for the top."""

    path: str
    words: Mapping[str, str]
    """What can be typed, each with its help."""
    valued: Mapping[str, tuple[str, ...]]
    """The options that take a value, with the values as far as they are known."""
    contexts: frozenset[str]
    """Those of them whose value is a docker context."""
    commands: tuple[str, ...]


def script(shell: str, parser: argparse.ArgumentParser) -> str:
    """The completion script of ``parser`` for a shell of :data:`SHELLS`.

    ``--context`` completes from docker's contexts, when the docker command is there. Raises
    KeyError for another shell.
    """
    made: Mapping[str, Callable[[str, list[_Node]], str]] = {
        "bash": _bash,
        "zsh": _zsh,
        "fish": _fish,
    }
    return made[shell](parser.prog, list(_nodes(parser, "")))


def _nodes(parser: argparse.ArgumentParser, path: str) -> Iterator[_Node]:
    words: dict[str, str] = {}
    valued: dict[str, tuple[str, ...]] = {}
    contexts: list[str] = []
    inner: list[tuple[str, argparse.ArgumentParser]] = []
    # argparse has no public way to list what a parser knows.
    for action in parser._actions:
        if action.help == argparse.SUPPRESS:
            continue
        if isinstance(action, argparse._SubParsersAction):
            shown = {each.dest: each.help or "" for each in action._choices_actions}
            words |= shown
            inner += [(name, each) for name, each in action.choices.items() if name in shown]
            continue
        choices = tuple(str(choice) for choice in action.choices or ())
        words |= dict.fromkeys(action.option_strings or choices, _help(action, parser))
        if action.nargs != 0:
            valued |= dict.fromkeys(action.option_strings, choices)
        if "--context" in action.option_strings:
            contexts += action.option_strings
    yield _Node(path, words, valued, frozenset(contexts), tuple(name for name, _ in inner))
    for name, each in inner:
        yield from _nodes(each, f"{path} {name}".strip())


def _help(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    """The help of an option in one line, its ``%(default)s`` filled in."""
    values = {**vars(action), "prog": parser.prog}
    return " ".join(((action.help or "") % values).split())


def _case(pairs: Iterator[tuple[str, str]], indent: str) -> str:
    """Branches of a ``case`` in bash and zsh."""
    return "\n".join(f"{indent}{quote(pattern)}) {body} ;;" for pattern, body in pairs)


def _inside(node: _Node, command: str) -> str:
    return f"{node.path} {command}".strip()


def _steps(nodes: list[_Node], indent: str) -> str:
    """Branches that walk from a command to its subcommand, and over the values of options."""
    pairs: list[tuple[str, str]] = []
    for node in nodes:
        pairs += [
            (f"{node.path}|{name}", f"at={quote(_inside(node, name))}") for name in node.commands
        ]
        pairs += [(f"{node.path}|{option}", "i=$((i + 1))") for option in node.valued]
    return _case(iter(pairs), indent)


def _bash(prog: str, nodes: list[_Node]) -> str:
    def words(values: tuple[str, ...]) -> str:
        return f'COMPREPLY=($(compgen -W {quote(" ".join(values))} -- "$cur"))'

    contexts = f'COMPREPLY=($(compgen -W "$({_CONTEXTS})" -- "$cur"))'

    def known(node: _Node, option: str) -> str:
        if option in node.contexts:
            return contexts
        # Without an answer bash completes files.
        return words(node.valued[option]) if node.valued[option] else ":"

    values = ((f"{n.path}|{option}", known(n, option)) for n in nodes for option in n.valued)
    candidates = ((n.path, words(tuple(n.words))) for n in nodes)
    name = _function(prog)
    return f"""\
# bash completion for {prog}
{name}() {{
    local cur="${{COMP_WORDS[COMP_CWORD]}}" prev="${{COMP_WORDS[COMP_CWORD-1]}}" at="" i
    COMPREPLY=()
    # "=" is a word of its own: --option=value
    if [[ $cur == "=" ]]; then cur=""
    elif [[ $prev == "=" ]]; then prev="${{COMP_WORDS[COMP_CWORD-2]}}"; fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$at|${{COMP_WORDS[i]}}" in
{_steps(nodes, " " * 12)}
        esac
    done
    case "$at|$prev" in
{_case(values, " " * 8)}
        *)
            case "$at" in
{_case(candidates, " " * 16)}
            esac ;;
    esac
}}
complete -o bashdefault -o default -F {name} {prog}
"""


def _zsh(prog: str, nodes: list[_Node]) -> str:
    contexts = f'compadd -- ${{(f)"$({_CONTEXTS})"}}'

    def known(node: _Node, option: str) -> str:
        if option in node.contexts:
            return contexts
        values = node.valued[option]
        return f"compadd -- {' '.join(map(quote, values))}" if values else "_files"

    values = ((f"{n.path}|{option}", known(n, option)) for n in nodes for option in n.valued)
    candidates = (
        (n.path, f"words_here=({' '.join(quote(_described(*item)) for item in n.words.items())})")
        for n in nodes
    )
    name = _function(prog)
    return f"""\
#compdef {prog}
# zsh completion for {prog}
{name}() {{
    local at="" i
    local -a words_here
    for ((i = 2; i < CURRENT; i++)); do
        case "$at|$words[i]" in
{_steps(nodes, " " * 12)}
        esac
    done
    case "$at|$words[CURRENT-1]" in
{_case(values, " " * 8)}
        *)
            case "$at" in
{_case(candidates, " " * 16)}
            esac
            _describe '{prog}' words_here || _files ;;
    esac
}}
if [[ $funcstack[1] == {name} ]]; then {name} "$@"; else compdef {name} {prog}; fi
"""


def _described(word: str, help: str) -> str:
    """``word:help`` as zsh's _describe reads it."""
    return word.replace(":", r"\:") + (f":{help}" if help else "")


def _fish(prog: str, nodes: list[_Node]) -> str:
    name = _function(prog)
    steps: list[str] = []
    offers: list[str] = []
    for node in nodes:
        then = [
            (command, f"set at {_fish_quote(_inside(node, command))}") for command in node.commands
        ]
        then += [(option, "set skip yes") for option in node.valued]
        for word, do in then:
            case = _fish_quote(f"{node.path}|{word}")
            steps.append(f"            case {case}\n                {do}")
        condition = f"test ({name}_at) = {_fish_quote(node.path)}"
        for word, help in node.words.items():
            offers.append(
                f"complete -c {prog} -n {_fish_quote(condition)} {_fish_word(node, word)}"
                + (f" -d {_fish_quote(help)}" if help else "")
            )
    return f"""\
# fish completion for {prog}
function {name}_at
    set -l at ''
    set -l skip ''
    for word in (commandline -opc)[2..]
        if test -n "$skip"
            set skip ''
            continue
        end
        switch "$at|$word"
{chr(10).join(steps)}
        end
    end
    echo "$at"
end
{chr(10).join(offers)}
"""


def _fish_word(node: _Node, word: str) -> str:
    """How ``complete`` is told of a subcommand, a choice or an option."""
    if not word.startswith("-"):
        return f"-f -a {_fish_quote(word)}"
    kind = f"-l {word[2:]}" if word.startswith("--") else f"-s {word[1:]}"
    if word not in node.valued:
        return f"-f {kind}"
    if word in node.contexts:
        return f"-x {kind} -a {_fish_quote(f'({_CONTEXTS})')}"
    known = node.valued[word]
    return f"-x {kind} -a {_fish_quote(' '.join(known))}" if known else f"-r {kind}"


def _fish_quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _function(prog: str) -> str:
    """A function's name made of the program's."""
    return "_" + "".join(each if each.isalnum() else "_" for each in prog)
