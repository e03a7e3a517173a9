# One word a job; `make` alone lists them. CI runs nothing else.

.DEFAULT_GOAL := help
SHELL := /bin/sh

# Any Python from 3.11 on will do; name another by `make PYTHON=...`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
  && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2
INPUTS ?= 100000
PYTEST := $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal

.PHONY: help setup demo test check cover fixtures bench study docs warm fuzz clean \
  format lint types layers lock

help: ## list the jobs
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' \
	  $(MAKEFILE_LIST)

setup: $(STAMP) ## install everything into .venv, once

# The lock names every package, so nothing is resolved: asked to, pip looks at newer
# releases than those of the lock, and fails at the first that has no hash.
$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@if command -v uv >/dev/null 2>&1; then \
	  export VIRTUAL_ENV="$(CURDIR)/$(VENV)" && \
	  uv pip install -q --compile-bytecode --no-deps --require-hashes \
	    -r requirements.lock && \
	  uv pip install -q --no-deps --no-build-isolation -e . ; \
	else \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps \
	    --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps \
	    --no-build-isolation -e . && \
	  $(BIN)/python -m pip check ; \
	fi
	@touch $@

demo: setup ## run the main job on the packaged example
	$(BIN)/mrdtrack demo --output demo --force

test: setup ## run the quick tests
	$(PYTEST) -m "not slow"

check: setup format-check lint types layers ## all that must hold: style, types, layers, tests
	$(PYTEST)

cover: setup ## measure the branches that the tests reach, as plain Python
	NUMBA_DISABLE_JIT=1 $(PYTEST) --cov --cov-branch --cov-report=term-missing \
	  --cov-report=html --cov-fail-under=95

format: setup ## lay out the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

format-check: setup
	$(BIN)/ruff format --check .

lint: setup ## look for slips
	$(BIN)/ruff check .

types: setup ## check the types
	$(BIN)/mypy

layers: setup ## check who imports whom
	$(BIN)/lint-imports --no-logo

fixtures: setup ## rebuild data/fixtures, byte for byte
	$(BIN)/python -m mrdtrack.lab.fixtures

bench: setup ## measure speed
	$(BIN)/python -m benchmarks.speed

study: setup ## measure the calibration of levels and limits on simulated samples
	$(BIN)/python -m benchmarks.study

docs: setup ## write the command reference and build the documentation into site/
	$(BIN)/python -m docs.write_reference
	$(BIN)/python -m docs.write_files_reference
	$(BIN)/mkdocs build --strict --quiet

warm: setup ## compile the kernels ahead of the first run
	$(BIN)/mrdtrack warm

fuzz: setup ## read 100,000 damaged files (INPUTS=...), and look at what comes of it
	$(BIN)/python -m fuzzing --inputs $(INPUTS) --workers $(WORKERS) \
	  --findings fuzz-findings

lock: ## write requirements.lock anew (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url \
	  --all-extras --group dev pyproject.toml -o requirements.lock

clean: ## remove what was made here
	rm -rf $(VENV) build dist demo site htmlcov .coverage .coverage.* *.egg-info \
	  .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find mrdtrack tests -name __pycache__ -type d -prune -exec rm -rf {} +
