"""``python -m mm7zeep``: the command line where the command itself is not on the path.

Refuses nothing: it is ``mm7zeep.cli`` under the command's own name.
"""

from __future__ import annotations

from mm7zeep.cli import main

if __name__ == "__main__":
    main(prog_name="mm7zeep")
