# Every command is idempotent and quick the second time; `python3` ≥ 3.11 and `make` are all it needs.
PYTHON ?= python3
DEMO_PORT ?= 8000
BIN = .venv/bin
export DEMO_PORT
# A process of its own for each core; a test that is left over goes to whoever is idle.
IN_PARALLEL = --numprocesses logical --maxprocesses 4 --dist worksteal

.PHONY: demo test lint coverage bench lock messages screenshots reset install

demo: install
	@exec $(BIN)/python -m onai.local.demo

test: install
	@exec $(BIN)/python -m pytest $(IN_PARALLEL)

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/djangofmt --check --quiet templates
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry . --extend-exclude '(onai/local|tests)/'
	$(BIN)/deptry . --ignore DEP004
	$(BIN)/codespell
	$(BIN)/oxlint --deny-warnings static
	$(BIN)/python -m onai.local.make.check
	$(BIN)/python -m onai.local.make.catalogues check

# Beside the gate and not in it: measuring every process takes 1.8 times the processor's time.
coverage: install
	@exec $(BIN)/python -m pytest $(IN_PARALLEL) --cov --cov-report=term

bench: install
	@exec $(BIN)/python -m tests.bench

lock: install
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
		--python-version 3.11 --upgrade pyproject.toml --output-file requirements.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
		--python-version 3.11 --upgrade --group dev --constraint requirements.txt \
		pyproject.toml --output-file requirements-dev.txt

# Whoever changes a sentence runs this, and translates what is new in `locale/`.
messages: install
	@exec $(BIN)/python -m onai.local.make.catalogues extract

# Of a demo of its own, on a free DEMO_PORT.
screenshots: install
	@exec $(BIN)/python -m onai.local.make.screenshots

reset:
	rm -rf .local

install:
	@$(PYTHON) onai/local/make/bootstrap.py requirements-dev.txt
	@$(BIN)/python -m onai.local.make.catalogues compile
