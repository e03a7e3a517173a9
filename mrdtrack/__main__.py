"""Let `python -m mrdtrack` behave as the installed command."""

from mrdtrack.cli import main

if __name__ == "__main__":
    main()
