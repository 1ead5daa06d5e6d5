# The commands that .ci/run runs, for a checkout with `pip install -e ".[dev]"`.

.PHONY: test lint format types check

check: lint types test

test:
	pytest

lint:
	ruff check .
	ruff format --check .

format:
	ruff check --fix .
	ruff format .

types:
	mypy
