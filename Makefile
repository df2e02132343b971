# Two commands that do everything on a fresh machine: `make quickstart` and `make test`.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: quickstart test check format clean

quickstart: .venv/installed
	$(BIN)/python examples/quickstart.py quickstart

test: .venv/installed check
	$(BIN)/python -m pytest

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# pip, not another installer, and with the pins: an unpinned torch drags in gigabytes
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv quickstart
