# contui: `make run` opens the console, `make test` passes the tests. Neither needs anything else
# than git, make and Python 3.11 or newer.

VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test check format bench screenshots clean

run: $(VENV)/.run
	@$(BIN)/contui $(ARGS)

test: $(VENV)/.dev
	@tests/lab/install.sh
	$(BIN)/python -m pytest -n 2 $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev
	@tests/lab/install.sh
	cd tests && ../$(BIN)/python -m bench $(ARGS)

screenshots: $(VENV)/.dev
	@tests/lab/install.sh
	$(BIN)/python scripts/screenshots.py

$(VENV)/.run: requirements.lock pyproject.toml scripts/setup.sh
	@scripts/setup.sh $(VENV) requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml scripts/setup.sh
	@scripts/setup.sh $(VENV) requirements-dev.lock
	@touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
