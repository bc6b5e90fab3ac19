"""The exceptions of contui.

::

    ContuiError
    ├─ ConfigError             a settings, theme or keymap file is wrong
    └─ EngineError             an engine could not do what was asked
       ├─ EngineUnavailable    nothing answers: no socket, refused, DNS, TLS
       ├─ EnginePermission     the socket or the API refuses this user
       ├─ EngineTimeout        no answer in time
       ├─ EngineNotFound       404: the object is gone
       ├─ EngineConflict       409: not possible in this state
       └─ EngineUnsupported    this engine, or this version of it, cannot do that
"""

from __future__ import annotations


class ContuiError(Exception):
    """Base of all errors; ``hint`` is what a person can do, preferably a command."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ConfigError(ContuiError):
    """A file of the user is wrong: names the file, the key and what was expected."""


class EngineError(ContuiError):
    """An engine could not do what was asked."""


class EngineUnavailable(EngineError):
    """Nothing answers at the endpoint."""


class EnginePermission(EngineError):
    """The socket or the API refuses this user."""


class EngineTimeout(EngineError):
    """The engine gave no answer within the deadline."""


class EngineNotFound(EngineError):
    """The object is gone (404)."""


class EngineConflict(EngineError):
    """The object's state does not allow it (409)."""


class EngineUnsupported(EngineError):
    """This engine, or this version of it, cannot do that."""
