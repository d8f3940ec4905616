# The two commands of the README are `make up` and `make test`; everything they need goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: up down install test lint bench wheel clean

up: install
	$(BIN)/kinetria up --seed demo
	@echo
	@echo "The command is $(BIN)/kinetria; to type just kinetria:  . $(BIN)/activate"

down: install
	$(BIN)/kinetria down

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[embedded,docker,lint,chart,dev]'
	@touch $@

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
