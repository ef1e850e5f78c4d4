# The two commands that matter: `make` sets up and runs the main job, `make test` runs the tests.
# `make help` lists the rest.

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
PYTEST_ARGS ?=
SEED ?= 1

BIN := $(VENV)/bin
STAMP := $(VENV)/.ok
TORCH := torch==2.13.0

export PIP_DISABLE_PIP_VERSION_CHECK = 1

# A download that breaks off is the one failure that a second try cures.
define install
$(BIN)/python -m pip install --quiet -c constraints.txt $(1) || { \
	echo "make: the installation failed; trying once more" >&2; sleep 5; \
	$(BIN)/python -m pip install --quiet -c constraints.txt $(1); }
endef

# Pytest ends with 5 when a marker selects nothing, which is no failure.
define run_marked
$(BIN)/pytest $(1) $(PYTEST_ARGS); status=$$?; \
if [ $$status -eq 5 ]; then echo "$@: no test is marked for it yet"; else exit $$status; fi
endef

.PHONY: all setup test test-torch robustness check docs bench help

all: $(STAMP)
	@mkdir -p out
	$(BIN)/leotrek generate wildfire --seed $(SEED) --out out/wildfire.json
	$(BIN)/leotrek compare out/wildfire.json

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
		echo "make: $(PYTHON) not found; install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "make: Python 3.11 or newer is needed, but $(PYTHON) is $$($(PYTHON) -V 2>&1); name another: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "make: $(PYTHON) has no venv module; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Setting up $(VENV): about a minute, once"
	@$(PYTHON) -m venv $(VENV)
	@$(call install,-e '.[dev]')
	@touch $@

test: $(STAMP)
	$(BIN)/pytest -n $(WORKERS) -m "not slow and not torch and not gpu" $(PYTEST_ARGS)

# PyTorch by itself first: on some machines the pinned version is a CPU build, and a bare
# requirement would bring several gigabytes of CUDA packages instead.
test-torch: $(STAMP)
	@$(call install,'$(TORCH)')
	@$(call install,-e '.[torch]')
	@$(call run_marked,-m "torch and not gpu")

robustness: $(STAMP)
	@export HYPOTHESIS_PROFILE=robustness; $(call run_marked,-n $(WORKERS) -m "slow and not torch and not gpu" --timeout 3600)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(STAMP)
	@for script in benchmarks/[!_]*.py; do \
		[ -e "$$script" ] || continue; \
		echo "$$script" >&2; \
		$(BIN)/python "$$script" --quick --format json || exit 1; \
	done

help:
	@echo "make             set up $(VENV) and run the main job (SEED=1)"
	@echo "make setup       only set up $(VENV)"
	@echo "make test        the tests (PYTEST_ARGS='-k routing', WORKERS=2)"
	@echo "make test-torch  install PyTorch and run the tests that need it"
	@echo "make robustness  the long tests"
	@echo "make check       format, lint, types, import contract"
	@echo "make docs        build the documentation into site/"
	@echo "make bench       every script in benchmarks/, quick"
