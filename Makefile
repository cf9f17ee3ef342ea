# Run `make` for a list of targets. Needs Python 3.11 or later and the package registry.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Each check keeps one processor busy.
CHECKS := style mypy mypy-windows types
SIDE_BY_SIDE = $(MAKE) --no-print-directory --jobs $(PROCESSORS) --output-sync
PROCESSORS := $(shell $(PYTHON) -c 'import os; print(os.cpu_count() or 1)')

# What is compiled is kept, whatever the surroundings say: the tests start our programs a thousand times.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help

.PHONY: help
help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/run.stamp: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

.PHONY: setup
setup: $(VENV)/dev.stamp  ## make a virtual environment in .venv, with the development tools

.PHONY: demo
demo: $(VENV)/run.stamp  ## open the shell on an embedded simulated gateway; without a terminal, run examples/first-look.mxs
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/mxgw-shell --demo; else $(BIN)/mxgw-shell --demo -c examples/first-look.mxs; fi

# Three for each processor: most tests wait for a program or a value.
WORKERS ?= $(shell expr 3 \* $(PROCESSORS))

# As pytest compiles them: once, where nothing is kept yet, and not by each worker for itself.
tests/__pycache__:
	@$(BIN)/python -m pytest --collect-only --quiet --quiet > /dev/null || true # pytest says it below

.PHONY: test
test: setup  ## run all checks and tests, and name the ten slowest tests
	@$(SIDE_BY_SIDE) tests/__pycache__ $(CHECKS)
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal --durations 10 --durations-min 1

# Each that runs: pyenv has a python3.12 on the PATH that only says where it is.
PYTHONS ?= $(shell for minor in 12 13 14 15; do \
	for python in python3.$$minor "$$(pyenv root 2>/dev/null)"/versions/3.$$minor.*/bin/python; do \
		if $$python -c 'import ensurepip' >/dev/null 2>&1; then echo $$python; break; fi; \
	done; done)
ELSEWHERE ?= tests/shell/test_shell_python.py tests/shell/test_shell_scripts.py tests/library/test_live.py tests/cli/test_cli_write.py

.PHONY: test-pythons
test-pythons: setup  ## run the tests that depend most on Python, on each later Python that is installed (ELSEWHERE=tests: all tests)
	@test -n "$(PYTHONS)" || echo "no Python but $(PYTHON) is installed: nothing was tried on another one"
	@for python in $(PYTHONS); do \
		version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])') || exit 1; \
		echo "Python $$version:"; \
		test -x build/python$$version/bin/pytest || { $$python -m venv build/python$$version && \
			build/python$$version/bin/python -m pip install --quiet --editable '.[dev]'; } || exit 1; \
		build/python$$version/bin/python -m pytest --numprocesses auto --dist worksteal $(ELSEWHERE) || exit 1; \
	done

TYPES := $(addprefix types-of-, zb_mom_ww_mxgateway zb_mom_ww_mxgateway_sim zb_mom_ww_mxgateway_testing)

.PHONY: types $(TYPES)
types: $(TYPES)  ## check that all public names have types (pyright)

$(TYPES): types-of-%: setup
	@report=$$(PYTHONPATH=src PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python \
		--ignoreexternal --verifytypes $*) || { echo "$$report"; exit 1; }; \
	echo "$*: $$(echo "$$report" | grep completeness)"

.PHONY: mypy mypy-windows style
mypy: setup
	$(BIN)/mypy --strict src
mypy-windows: setup
	$(BIN)/mypy --strict --platform win32 --cache-dir .mypy_cache/win32 src
style: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

.PHONY: lint
lint: setup  ## run ruff, mypy, pyright and codespell
	@$(SIDE_BY_SIDE) $(CHECKS)

.PHONY: proto
proto: setup  ## generate the messages from proto/
	$(BIN)/python proto/generate.py

.PHONY: exports
exports: setup  ## write the public names for type checkers, from the list in each __init__.py
	$(BIN)/python tests/exports.py

.PHONY: reference
reference: setup  ## write the indexes of commands, and examples/COMMANDS.md, from the declarations
	$(BIN)/python tools/command_index.py
	$(BIN)/python -m zb_mom_ww_mxgateway_shell.app.reference > examples/COMMANDS.md

$(VENV)/docs.stamp: $(VENV)/dev.stamp
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	@touch $@

.PHONY: docs
docs: $(VENV)/docs.stamp  ## build the API reference from the docstrings, into build/docs
	$(BIN)/python -m pdoc --docformat restructuredtext --no-show-source --output-directory build/docs \
		zb_mom_ww_mxgateway zb_mom_ww_mxgateway.sync zb_mom_ww_mxgateway_sim zb_mom_ww_mxgateway_testing

# What events are measured beside, in an environment of its own: asyncua (LGPL-3.0), nats-py (Apache-2.0), redis (MIT).
build/peers/bench.stamp:
	$(PYTHON) -m venv build/peers
	build/peers/bin/python -m pip install --quiet asyncua nats-py redis && touch $@ || \
		echo "no package index: the benchmarks leave asyncua, NATS and redis out"

.PHONY: bench
bench: setup build/peers/bench.stamp  ## measure speed and memory; print a table and write build/bench.json
	$(BIN)/python tests/benchmarks

SOAK ?= 7200

.PHONY: soak
soak: setup  ## run two hours with a fault every minute (SOAK=60: one minute); write build/soak.json
	$(BIN)/python tests/soak.py --seconds $(SOAK)

SCHEDULES ?= 10000
FIRST ?= 0
BUSY ?= 0

.PHONY: faults
faults: setup  ## run thousands of random fault schedules (SCHEDULES=10000 FIRST=0; BUSY=1 adds busy loops; FAULT_SEED=7 repeats one)
	FAULT_SCHEDULES=$(SCHEDULES) FAULT_FIRST=$(FIRST) FAULT_BUSY=$(BUSY) $(BIN)/python -m pytest --timeout 900 --numprocesses auto --dist worksteal tests/library/test_fault_schedules.py

.PHONY: test-wheel
test-wheel: setup  ## build the wheel, install it into an empty environment, and try the three commands
	rm -rf build/wheel
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir build/wheel .
	$(PYTHON) -m venv --clear build/wheel/venv
	build/wheel/venv/bin/python -m pip install --quiet build/wheel/*.whl
	build/wheel/venv/bin/python tests/wheel.py

EXTRAS ?=

.PHONY: bundle
bundle: setup  ## zip wheels for every Python, an installer and the guides, for machines without a network (EXTRAS=parquet,mqtt)
	$(BIN)/python tools/bundle --extras '$(EXTRAS)'

.PHONY: test-bundle
test-bundle: setup  ## build such a zip for this Python, install it without a network, and run the demo from it
	$(BIN)/python tools/bundle --folder build/bundle-here --systems linux,windows \
		--pythons $$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
	$(BIN)/python tests/bundle.py build/bundle-here/*.zip

.PHONY: test-lowest
test-lowest: setup  ## run some tests with the lowest version of every dependency (ELSEWHERE=tests: all tests)
	$(PYTHON) -m venv --clear build/lowest
	$(BIN)/python tests/lowest.py > build/lowest/constraints.txt
	build/lowest/bin/python -m pip install --quiet --constraint build/lowest/constraints.txt --editable '.[dev]'
	build/lowest/bin/python -m pytest --numprocesses auto $(ELSEWHERE)
