# The commands that .ci/run runs, for a checkout with `pip install -e ".[dev]"`.

.PHONY: test lint format types check notebook manual

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

# The outputs stored in the notebook, anew: after pip install nbclient ipykernel.
notebook:
	cd examples && jupyter execute --inplace mail_in_pandas.ipynb

# The manual page, anew.
manual:
	python docs/manpage.py > docs/textsent.1
