# Two commands on a fresh machine with Python >= 3.11 and make: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2

.PHONY: demo test test-all bench engines compiled templates format clean

demo: $(VENV)/.installed compiled
	$(BIN)/uvmre demo

test: $(VENV)/.developed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pytest -n $(JOBS) --dist worksteal -m "not slow"

test-all: test
	$(BIN)/pytest -n $(JOBS) --dist worksteal -m slow

bench: $(VENV)/.developed compiled
	$(BIN)/python bench/overhead.py
	$(BIN)/python bench/gateway.py
	$(BIN)/python bench/searches.py
	$(BIN)/python bench/reading.py
	$(BIN)/python bench/scrubbing.py
	$(BIN)/python bench/containers.py
	$(BIN)/python bench/shrink.py

# Real container engines for the tests, as far as this machine allows; `.ci/engines stop` ends them.
engines:
	@.ci/engines

# Where PYTHONDONTWRITEBYTECODE is set, an editable install would be compiled anew at every start, 0.1 s each.
compiled: | $(VENV)/bin/python
	@$(BIN)/python -m compileall -q src

# copier includes nothing from outside a template, so each has its own copy of what they share.
templates:
	@for template in templates/*/copier.yml; do \
	  rm -rf "$${template%/*}/_shared" && cp -R templates/_shared "$${template%/*}/_shared" || exit; done

format: $(VENV)/.developed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:
	rm -rf $(VENV) uvmre-demo .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "uvmre needs Python 3.11 or newer, and $(PYTHON) is older: name one, as make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[sandbox]'
	@touch $@

$(VENV)/.developed: pyproject.toml | $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[sandbox]' --group dev
	@touch $@
