"""contui: the terminal console to open when a container misbehaves."""

__version__ = "0.1.0"
