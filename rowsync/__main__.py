"""`python -m rowsync`."""

from rowsync.cli import main

if __name__ == "__main__":
    main()
