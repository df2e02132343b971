# On a fresh machine each of these does everything that it needs first:
# quickstart  draw people, build pairs, train, restore, and show the result
# test        every check: ruff, mypy, pytest
# docs        build the documentation's site into build/docs
# coverage    run the tests and print the lines that none reaches
# release     check all that a release needs, and upload nothing

PYTHON ?= python3
BIN := .venv/bin

.PHONY: quickstart test check docs coverage release format clean

quickstart: .venv/installed
	$(BIN)/python examples/quickstart.py quickstart

test: .venv/installed check
	$(BIN)/python -m pytest

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/installed
	$(BIN)/python -m sphinx --fail-on-warning --keep-going docs build/docs

coverage: .venv/installed
	$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered

release:
	.ci/release

format: .venv/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# pip, not another installer, and with the pins: an unpinned torch drags in gigabytes
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv quickstart build dist
