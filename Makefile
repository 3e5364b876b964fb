# `make help` lists the targets.
SHELL := /bin/bash
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SOURCES := codegen runtime operator cli cluster tests examples docs

.DEFAULT_GOAL := help
.PHONY: help venv demo test properties check format generate bench mutate lock upgrade clean cluster-up cluster-down cluster-status env

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.ready: pyproject.toml requirements/dev.txt
	@$(PYTHON) requirements/environment.py $(VENV)

venv: $(VENV)/.ready ## make .venv with the project and all its tools

demo: venv ## a cluster, the operator, a database with data, one job watched to its end (CLUSTER=current uses yours; BACKEND=argo|tekton that engine)
	@$(BIN)/python -m devcluster.demo

test: venv ## install what the tests need and run every layer that this machine can
	@$(BIN)/python tests/layers.py

properties: venv ## random programs and texts that no run has tried before, EXAMPLES of each property (2000 if not set)
	@SQLFLOW_EXAMPLES=$(or $(EXAMPLES),2000) $(BIN)/python -m pytest tests -q -m "hypothesis or random" --timeout=7200

check: venv ## format, lint, types, import contracts, CRD against its models, docs/architecture.md against the tree
	@$(BIN)/ruff format --check $(SOURCES) requirements
	@$(BIN)/ruff check $(SOURCES) requirements
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m sqlflow_operator.crd --check
	@$(BIN)/python docs/architecture.py --check

format: venv ## format the code and fix what ruff can
	@$(BIN)/ruff format $(SOURCES) requirements
	@$(BIN)/ruff check --fix $(SOURCES) requirements

generate: venv ## write the CRD and its reference page from the models, docs/architecture.md from the tree
	@$(BIN)/python -m sqlflow_operator.crd
	@$(BIN)/python docs/architecture.py

bench: venv ## ratios against named baselines, measured in one run
	@for script in tests/bench/bench_*.py; do $(BIN)/python $$script || exit 1; done

mutate: venv ## change the product line by line and count what no test notices (TARGETS="decide ledger", WHICH=tenth or survivors; all of it takes hours)
	@$(BIN)/python tests/mutate.py $(addprefix --only ,$(TARGETS)) $(if $(JOBS),--jobs $(JOBS)) $(if $(WHICH),--$(WHICH))

lock: ## pin new requirements of pyproject.toml in requirements/
	@$(PYTHON) requirements/environment.py --lock

upgrade: ## renew all pins in requirements/
	@$(PYTHON) requirements/environment.py --upgrade

cluster-up: venv ## bring up this checkout's kind cluster
	@$(BIN)/python -m devcluster up

cluster-down: venv ## remove this checkout's kind cluster and all that belongs to it
	@$(BIN)/python -m devcluster down

env: venv ## print the settings for a shell that speaks to this checkout's cluster: eval "$$(make -s env)"
	@$(BIN)/python -m devcluster env

cluster-status: venv ## what there is
	@$(BIN)/python -m devcluster status

clean: ## remove the cluster, .venv and every generated file
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m devcluster down; fi
	@rm -rf $(VENV) .state .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
