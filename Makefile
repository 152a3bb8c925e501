# `make help` lists the targets. Only make, git and Python 3.11 or newer have to be there; each target sets up the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAM_VENV := .venv-sam
SAM := $(SAM_VENV)/bin/sam
CDK_VENV := .venv-cdk

.DEFAULT_GOAL := help
.PHONY: help setup demo check test e2e browser build validate bench schema lock clean lint types fast all-tests

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 12

setup: $(VENV)/.done ## make .venv with everything but the SAM CLI

$(VENV)/.done: requirements/dev.txt pyproject.toml
	@echo "setting up $(VENV) with $$($(PYTHON) --version) (a minute or two, once)"
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; set PYTHON=")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## play two deployments: a good green passes, a broken one is rolled back
	@$(BIN)/ecs-hooks demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: setup
	$(BIN)/mypy

check: lint types ## linters, types and the fast tests
	$(BIN)/pytest -q -n 2 -m "not slow and not e2e"

test: lint types ## linters, types, all tests but e2e, branch coverage
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q -n 2 -m "not slow and not e2e"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	$(BIN)/pytest -q -n 2 -m "slow and not e2e"

$(SAM_VENV)/.done: requirements/sam.txt
	@echo "setting up $(SAM_VENV) with the SAM CLI (about a minute, once)"
	@$(PYTHON) -m venv $(SAM_VENV)
	@$(SAM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/sam.txt
	@touch $@

build: $(SAM_VENV)/.done ## build the SAM application into .aws-sam
	SAM_CLI_TELEMETRY=0 $(SAM) build

validate: $(SAM_VENV)/.done ## check the templates
	SAM_CLI_TELEMETRY=0 $(SAM) validate --lint
	$(SAM_VENV)/bin/cfn-lint template.yaml
	SAM_CLI_TELEMETRY=0 $(SAM) validate --lint --template examples/codedeploy/lambda.yaml

$(CDK_VENV)/.done: requirements/cdk.txt
	@echo "setting up $(CDK_VENV) with the CDK (about a minute, once)"
	@$(PYTHON) -m venv $(CDK_VENV)
	@$(CDK_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/cdk.txt
	@touch $@

e2e: setup build validate $(CDK_VENV)/.done ## run the application in Lambda's runtime; needs a container engine
	$(BIN)/pytest -m e2e tests/e2e tests/examples

browser: setup ## look at the page of `simulate --report` in a real browser, where there is a Chromium
	$(BIN)/pytest -m e2e tests/browser

bench: setup ## measure against the baselines; prints ratios
	$(BIN)/python -m benchmarks

schema: setup ## write the JSON Schema of a plan
	$(BIN)/ecs-hooks schema -o shared/ecs_hooks/plan.schema.json

lock: setup ## pin the newest dependencies, with hashes and without any address
	$(call pin,requirements/dev.in,requirements/dev.txt)
	$(call pin,requirements/sam.in,requirements/sam.txt)
	$(call pin,requirements/cdk.in,requirements/cdk.txt)
	$(call pin,requirements/layer.in,shared/requirements.txt)
	$(call pin,benchmarks/requirements.in,benchmarks/requirements.txt)

pin = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes --no-emit-index-url \
  --no-annotate --no-header --no-strip-extras -o $(2) $(1)

clean: ## remove everything that was made
	rm -rf $(VENV) $(SAM_VENV) $(CDK_VENV) .aws-sam .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache build
