"""Let `python -m mrdtrack` behave as the installed command."""

from mrdtrack.cli import main
from mrdtrack.door import PROGRAM

if __name__ == "__main__":
    main(prog_name=PROGRAM)
