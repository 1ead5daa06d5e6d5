# The commands that .ci/run runs, for a checkout with `pip install -e ".[dev]"`.

.PHONY: test lint format types check notebook manual docs outputs

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

# The manual page and the page of commands and options, anew.
manual:
	python docs/manpage.py > docs/textsent.1
	python docs/reference.py > docs/commands.md

# The site, into build/site: a warning, or a link that leads nowhere, is an error.
docs:
	sphinx-build --fail-on-warning --keep-going --quiet --doctree-dir build/doctrees docs build/site

# What README.md and the pages show, anew: outputs, and the picture of a report.
outputs:
	python docs/outputs.py --picture
