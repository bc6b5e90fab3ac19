"""Run contui with ``python -m contui``."""

from contui.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
