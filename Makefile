# `make` alone lists the targets. Each one creates .venv and installs what it needs by itself.

VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test check lint format bench peers docs constraints samples system clean

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.light ## Run the whole chain on the sample clips, in ./demo (no development tools)
	@$(BIN)/asrdq demo

test: $(VENV)/.dev system ## Run every test
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -q

check: lint ## Lint and run the fast tests (under two minutes)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -q -m "not slow"

lint: $(VENV)/.dev ## Check style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.dev ## Format the code and mend what can be mended
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(VENV)/.dev peers ## Measure every claim of benchmarks/claims.yaml beside its peer
	@$(BIN)/python benchmarks/run.py

peers: $(PEERS)/.installed ## Install the peers of benchmarks/ into .venv-peers

docs: $(VENV)/.docs ## Build the documentation into ./site
	@$(BIN)/python tools/make_cli_reference.py
	@$(BIN)/python tools/make_policy_schema.py
	@$(BIN)/python tools/make_lint_rules.py
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

constraints: $(BIN)/python ## Resolve all extras together, for every Python, into constraints.txt
	@$(PIP) uv
	@$(BIN)/uv pip compile --quiet pyproject.toml --all-extras --universal --python-version 3.11 \
		--no-annotate --no-header --output-file constraints.txt

samples: $(VENV)/.light ## Make data_samples/ again (needs espeak-ng)
	@tools/system_packages.sh espeak-ng
	@$(BIN)/python tools/make_samples.py

system: ## Install the system packages that tests need, or say which are missing
	@tools/system_packages.sh chromium sctk

clean: ## Remove everything that was built, .venv too
	rm -rf $(VENV) $(PEERS) build dist site demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(BIN)/python:
	@tools/create_venv.sh $(VENV)

$(VENV)/.light: $(BIN)/python pyproject.toml constraints.txt
	@echo "installing asrdq into $(VENV)" >&2
	@$(PIP) -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.light
	@echo "installing the development tools into $(VENV)" >&2
	@$(PIP) -c constraints.txt -e ".[dev,train,ray]"
	@touch $@

$(PEERS)/.installed: benchmarks/peers.txt
	@tools/create_venv.sh $(PEERS)
	@echo "installing the peers of benchmarks into $(PEERS)" >&2
	@$(PEERS)/bin/python -m pip --disable-pip-version-check install --quiet -r $<
	@touch $@

$(VENV)/.docs: $(VENV)/.light
	@echo "installing the documentation tools into $(VENV)" >&2
	@$(PIP) -c constraints.txt -e ".[docs]"
	@touch $@
