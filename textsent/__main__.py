"""`python -m textsent`."""

from textsent.cli import main

main()
