"""Run the command line as `python -m asrdq`."""

from asrdq.cli.app import main

if __name__ == "__main__":
    main()
