"""``python -m mm7zeep``: the command line where the command itself is not on the path."""

from __future__ import annotations

from mm7zeep.cli import main

if __name__ == "__main__":
    main(prog_name="mm7zeep")
