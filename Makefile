# Two commands do it all: `make run` (the dashboard) and `make test`. Both make their own .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# As environment variables (pip install -c does less), so that the versions also hold for what packages are built with.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt

.PHONY: run setup test test-fast test-damage test-latest upgrade lint format pictures clean help

help:
	@echo "make run        install what is needed and open the dashboard on http://127.0.0.1:8501"
	@echo "make setup      install what the dashboard needs, nothing else"
	@echo "make test       install what the tests need; check style and types; run all tests"
	@echo "make test-fast  the tests without the slow ones and the browser"
	@echo "make test-damage  thousands of damaged files of each kind, for each reader"
	@echo "make upgrade    renew constraints.txt: the newest versions that the requirements allow"
	@echo "make test-latest  the same as test-fast with those versions, in .venv-latest"
	@echo "make format     put the code into the house's format"
	@echo "make pictures   draw the pictures of README and docs anew"
	@echo "make clean      remove what was installed"

run: setup
	@$(BIN)/python -m dashboard.cli.start

setup: $(VENV)/.runtime

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "XAI Lightbox needs Python 3.11, 3.12 or 3.13; this is %d.%d. Say which to use: make run PYTHON=python3.11" % v)'
	@$(PYTHON) -m venv $(VENV) || (echo "python3-venv is missing: install it (Debian, Ubuntu: apt-get install python3-venv)"; exit 1)

$(VENV)/.runtime: requirements.txt constraints.txt pyproject.toml setup.py | $(VENV)/bin/python
	@echo "Installing what the dashboard needs (once, some minutes) ..."
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

# Three processes for two cores: browser tests, which tests/conftest.py spreads among the others, wait most of their time.
test: lint
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --durations=40

test-fast: $(VENV)/.tests
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not browser"

# Two thousand mutations of a file of each kind, for each reader; a quarter of an hour of one core.
test-damage: $(VENV)/.tests
	XAI_LIGHTBOX_MUTATIONS=2000 $(BIN)/python -m pytest -n 2 tests/test_damage.py -k mutated --timeout 0

# Without the constraints; in a folder of its own, made anew, so that what is installed is what a user would get today.
test-latest:
	@rm -rf .venv-latest
	@$(MAKE) --no-print-directory test-fast VENV=.venv-latest PIP_CONSTRAINT= PIP_BUILD_CONSTRAINT=

# One version of each package for all Pythons, so that what was tested is what is installed. Left out: what torch brings by
# itself where it has a GPU, and what no supported machine needs (old Macs, browsers).
upgrade: | $(VENV)/bin/python
	@$(BIN)/python -m venv $(VENV)/upgrade
	@PIP_CONSTRAINT= $(VENV)/upgrade/bin/python -m pip install --quiet uv
	@$(VENV)/upgrade/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
		--no-header --no-annotate --output-file $(VENV)/upgrade/resolved.txt requirements-dev.txt
	@(echo "# Exact versions of all that is installed, for every supported Python; renewed by: make upgrade" && \
		sed -E "/^#|^(nvidia|cuda|triton)|== 'emscripten'|; platform_machine == 'x86_64' and sys_platform == 'darwin'/d; s/ *;.*//" \
		$(VENV)/upgrade/resolved.txt requirements-bare.txt | LC_ALL=C sort) > constraints.txt

format: $(VENV)/.tests
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

pictures: $(VENV)/.tests
	$(BIN)/python -m benchmarks.pictures

clean:
	rm -rf $(VENV) .venv-latest
