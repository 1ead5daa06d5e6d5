# The commands that .ci/run runs, for a checkout with `pip install -e ".[dev]"`.

.PHONY: test lint format types check coverage mutants notebook manual docs outputs

check: lint types test

test:
	pytest -n auto --dist loadfile

# Which lines and branches of textsent no test runs, in processes that the tests start too.
coverage:
	coverage erase
	coverage run "$$(command -v pytest)"
	coverage combine --quiet
	coverage report

# How many faults put into readers, writers and mail the tests find: of a sample; SAMPLE=400 SEED=1 are the default.
mutants:
	python scripts/mutants.py --sample $(or $(SAMPLE),400) --seed $(or $(SEED),1)

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
