# On a fresh machine each of these does everything that it needs first:
# quickstart  restore a portrait, draw people, build pairs, train, and show the results
# test        every check: ruff, mypy, pytest
# quick       pytest without the slow tests, while you change things
# docs        build the documentation's site into build/docs
# coverage    run the tests and print the lines that none reaches
# wheel       build sdist and wheel into dist, install in a fresh venv, run `demosaic doctor` there
# release     check all that a release needs, and upload nothing

# `make test PYTHON=python3.13` does all that with another Python, in a .venv of that one
PYTHON ?= python3
BIN := .venv/bin
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
INSTALLED := .venv/installed-$(VERSION)
# Processes that share the tests: all cores, at most 8. `make test WORKERS=0` uses one, for a debugger
WORKERS ?= auto
PYTEST := $(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 8 --dist worksteal

.PHONY: quickstart test quick check docs coverage wheel release format clean

quickstart: $(INSTALLED)
	$(BIN)/python examples/quickstart.py quickstart

test: $(INSTALLED) check
	$(PYTEST)

quick: $(INSTALLED)
	$(PYTEST) -m 'not slow'

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(INSTALLED)
	$(BIN)/python -m sphinx --fail-on-warning --keep-going docs build/docs

coverage: $(INSTALLED)
	$(PYTEST) --cov --cov-report=term-missing:skip-covered

wheel: $(INSTALLED)
	PYTHON=$(BIN)/python .ci/wheel

release:
	.ci/release

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# pip, not another installer, and with the pins: an unpinned torch drags in gigabytes
$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python$(VERSION) || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv quickstart build dist
