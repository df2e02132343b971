# On a fresh machine each of these does everything that it needs first:
# quickstart  draw people, build pairs, train, restore, and show the result
# test        every check: ruff, mypy, pytest
# quick       pytest without the slow tests, while you change things
# docs        build the documentation's site into build/docs
# coverage    run the tests and print the lines that none reaches
# wheel       build sdist and wheel into dist, install in a fresh venv, run `demosaic doctor` there
# release     check all that a release needs, and upload nothing

PYTHON ?= python3
BIN := .venv/bin
# Processes that share the tests: all cores, at most 8. `make test WORKERS=0` uses one, for a debugger
WORKERS ?= auto
PYTEST := $(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 8 --dist worksteal

.PHONY: quickstart test quick check docs coverage wheel release format clean

quickstart: .venv/installed
	$(BIN)/python examples/quickstart.py quickstart

test: .venv/installed check
	$(PYTEST)

quick: .venv/installed
	$(PYTEST) -m 'not slow'

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/installed
	$(BIN)/python -m sphinx --fail-on-warning --keep-going docs build/docs

coverage: .venv/installed
	$(PYTEST) --cov --cov-report=term-missing:skip-covered

wheel: .venv/installed
	PYTHON=$(BIN)/python .ci/wheel

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
