# Everything runs in .venv, which the first call makes. Needs python3 >= 3.11, make and git.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: bench test test-slow speed lint docs

bench: $(READY)
	$(BIN)/quirky run tiny

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto

test-slow: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/pytest -m slow

speed: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.speed

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo build/site/index.html

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
