# Two commands do it all: `make run` (the dashboard) and `make test`. Both make their own .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run setup test test-fast lint format bench clean help

help:
	@echo "make run        install what is needed and open the dashboard on http://127.0.0.1:8501"
	@echo "make setup      install what the dashboard needs, nothing else"
	@echo "make test       install what the tests need; check style and types; run all tests"
	@echo "make test-fast  the tests without the slow ones and the browser"
	@echo "make format     put the code into the house's format"
	@echo "make clean      remove .venv"

run: setup
	@$(BIN)/python -m dashboard.cli.start

setup: $(VENV)/.runtime

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "XAI Lightbox needs Python 3.11, 3.12 or 3.13; this is %d.%d. Say which to use: make run PYTHON=python3.11" % v)'
	@$(PYTHON) -m venv $(VENV) || (echo "python3-venv is missing: install it (Debian, Ubuntu: apt-get install python3-venv)"; exit 1)

# torch first and alone: its exact version must stand before anything that would accept another build.
$(VENV)/.runtime: requirements.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing what the dashboard needs (once, some minutes) ..."
	@$(BIN)/python -m pip install --quiet "$$(grep '^torch==' requirements.txt)"
	@$(BIN)/python -m pip install --quiet -r requirements.txt
	@$(BIN)/python -m pip install --quiet --no-deps -e .
	@touch $@

$(VENV)/.tests: requirements-dev.txt requirements-bare.txt $(VENV)/.runtime
	@echo "Installing what the tests need ..."
	@$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --no-deps -r requirements-bare.txt
	@touch $@

lint: $(VENV)/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest

test-fast: $(VENV)/.tests
	$(BIN)/python -m pytest -m "not slow and not browser"

format: $(VENV)/.tests
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV)
