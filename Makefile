# Every command is idempotent and quick the second time; `python3` ≥ 3.11 and `make` are all it needs.
PYTHON ?= python3
DEMO_PORT ?= 8000
BIN = .venv/bin
export DEMO_PORT

.PHONY: demo test lint bench lock reset install

demo: install
	@exec $(BIN)/python -m onai.local.demo

test: install
	@exec $(BIN)/python -m pytest

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m onai.local.check

bench: install
	@exec $(BIN)/python -m tests.bench

lock: install
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
		--python-version 3.11 --upgrade pyproject.toml --output-file requirements.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
		--python-version 3.11 --upgrade --group dev --constraint requirements.txt \
		pyproject.toml --output-file requirements-dev.txt

reset:
	rm -rf .local

install:
	@$(PYTHON) onai/local/bootstrap.py requirements-dev.txt
