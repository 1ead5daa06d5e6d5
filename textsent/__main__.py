"""`python -m textsent`."""

from textsent.cli import run

run()
