# Everything a person types. `make` alone lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
# A uv that is already there is used; else one is kept inside the checkout.
UV := $(shell command -v uv || echo $(CURDIR)/.cache/uv/bin/uv)
BIN := .venv/bin

# Compiling torch's sources takes seconds in every process that cannot keep the result.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo demo-stop test test-images test-node chaos lint docs format bench bench-compare
.PHONY: e2e bench-operator cluster cluster-down node-packages images chart

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: $(BIN)/.ready dev/label-studio/.venv/.ready ## Install all that the other targets need (they call it themselves)

$(CURDIR)/.cache/uv/bin/uv:
	$(PYTHON) -m venv .cache/uv
	.cache/uv/bin/python -m pip install --quiet 'uv>=0.9'

$(BIN)/.ready: pyproject.toml uv.lock | $(UV)
	$(UV) sync --frozen --all-extras --python '>=3.11,<3.14'
	@touch $@

dev/label-studio/.venv/.ready: dev/label-studio/pyproject.toml dev/label-studio/uv.lock | $(UV)
	$(UV) sync --frozen --project dev/label-studio --python '>=3.11,<3.13'
	@touch $@

benchmarks/label_studio_sdk/.venv/.ready: benchmarks/label_studio_sdk/pyproject.toml benchmarks/label_studio_sdk/uv.lock | $(UV)
	$(UV) sync --frozen --project benchmarks/label_studio_sdk --python '>=3.11,<3.14'
	@touch $@

demo: setup ## Label, train, better predictions, with a real Label Studio (KEEP=1 leaves it running)
	PYTHONPATH=dev $(BIN)/python -m demo

demo-stop: $(BIN)/.ready ## End what `make demo KEEP=1` left running
	PYTHONPATH=dev $(BIN)/python -m demo --stop

test: setup ## All tests: units, replayed recordings, a real Label Studio, real training
	$(BIN)/python -m pytest

chaos: $(BIN)/.ready ## Kill the operator at every call of a whole life of a backend (half an hour)
	$(BIN)/python -m pytest tests/integration/operator_faults/test_killed.py --every-call

test-node: setup node-packages ## Tests of a cluster with a node: containers, volumes, Services (root, no Docker)
	$(BIN)/python -m pytest -m node tests/integration/node

e2e: setup node-packages ## The quickstart in a cluster with real pods, and what may go wrong in it (FULL=1: in built images)
	FULL=$(FULL) BASE=$(BASE) TORCH=$(TORCH) $(BIN)/python -m pytest -m node tests/e2e_cluster

node-packages: $(BIN)/.ready ## Install the Debian packages that `make cluster NODE=1` needs, if they are missing
	@PYTHONPATH=dev $(BIN)/python -m cluster packages --missing | xargs --no-run-if-empty \
		sh -c 'apt-get update --quiet && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$$@"' apt

bench: setup benchmarks/label_studio_sdk/.venv/.ready ## Measure what benchmarks/README.md claims (ARGS="--only predict", ARGS=--help)
	PYTHONPATH=dev $(BIN)/python -m benchmarks $(ARGS)

bench-compare: $(BIN)/.ready ## Show what got worse between two runs: OLD=a.json NEW=b.json
	$(BIN)/python -m benchmarks.compare $(OLD) $(NEW)

bench-operator: $(BIN)/.ready ## Measure the operator before a real API server (ARGS="--only latency", --help lists them)
	PYTHONPATH=dev $(BIN)/python -m benchmarks.kubernetes_operator $(ARGS)

chart: $(BIN)/.ready ## Make the parts of the chart that come from elsewhere, and try it in a real Kubernetes API
	PYTHONPATH=dev $(BIN)/python -m chart
	$(BIN)/python -m pytest -m 'not node' tests/unit/chart tests/integration/chart

# NODE=1 needs Label Studio's environment too: it runs in a pod.
cluster: $(if $(NODE),setup,$(BIN)/.ready) ## Start a Kubernetes API, with NODE=1 one that runs pods (kind where Docker runs) and say how to use it
	@PYTHONPATH=dev $(BIN)/python -m cluster up $(if $(NODE),--node) $(if $(FULL),--full) $(if $(GPUS),--gpus $(GPUS))

cluster-down: $(BIN)/.ready ## End what `make cluster` started
	@PYTHONPATH=dev $(BIN)/python -m cluster down

# What is built, with what and on what, as `python -m images build --help` explains it.
IMAGES ?= operator,serve,train
image_options = $(if $(ENGINE),--engine $(ENGINE)) $(if $(BASE),--base $(BASE)) $(if $(TORCH),--torch $(TORCH)) \
	$(if $(REGISTRY),--registry $(REGISTRY)) $(if $(TAG),--tag $(TAG))

images: $(BIN)/.ready ## Build the container images with docker, podman or buildah (IMAGES=operator,serve,train)
	PYTHONPATH=dev $(BIN)/python -m images build $(IMAGES) $(image_options)

test-images: setup ## Build the images, then start and exercise them (IMAGES=operator,serve for some of them)
	IMAGES=$(IMAGES) BASE=$(BASE) $(BIN)/python -m pytest tests/images

lint: $(BIN)/.ready ## Formatting, lint, types, the walls between the rooms, and the workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd dev/actionlint && go tool actionlint $(CURDIR)/.github/workflows/*.yaml

docs: | $(UV) ## Build the documentation, every link between pages checked, into build/site
	NO_MKDOCS_2_WARNING=1 $(UV) run --frozen --project dev/docs mkdocs build --quiet --strict --site-dir build/site

format: $(BIN)/.ready ## Put the code into the one format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
