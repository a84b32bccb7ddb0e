# Targets with a `##` comment are shown by `make help`.
.DEFAULT_GOAL := help
.PHONY: help bootstrap demo test check check-unit up down logs docker docker-down images images-worker compose-plugin \
	bench audit proto clean pristine

RUN := .venv/bin

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

bootstrap:
	@scripts/bootstrap

demo: bootstrap ## set everything up and carry one run through the whole system
	@scripts/demo

test: bootstrap ## set everything up and run all tests (args="-k name" for some)
	@scripts/test $(args)

check: bootstrap ## format, lint, types, import rules, generated files, file lengths
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy libs services tests benchmarks scripts
	$(RUN)/lint-imports
	$(RUN)/python -m fastflow_cli.proto --check
	$(RUN)/python scripts/file_lengths.py
	$(RUN)/python scripts/module_tables.py --check
	$(RUN)/python scripts/who_appends.py --check

check-unit: check ## check, and the unit tests
	$(RUN)/python -m pytest -q tests/unit

up: bootstrap ## start the whole system with Docker Compose (FASTFLOW_GIT_URL=...)
	@scripts/compose up --detach --no-build --wait

down: ## stop it; the volumes stay
	@scripts/compose down

logs: ## follow its logs
	@scripts/compose logs --follow

docker: ## make a Docker engine answer (as root on Debian: set one up)
	@scripts/docker-up

docker-down: ## stop the engine that `make docker` set up
	@scripts/docker-down

images: bootstrap ## pull, build or stand in for all images
	@scripts/images all

images-worker: bootstrap ## the image that runs execute in, and its base
	@scripts/images worker

compose-plugin: ## unpack Docker Compose into .tools where the machine has none (Debian)
	@scripts/compose-plugin

bench: bootstrap ## measure against baselines (only=latency for one)
	$(RUN)/python -m benchmarks $(only)

audit: bootstrap ## ask a public database for known vulnerabilities of what is locked
	.tools/bin/uv audit --locked

proto: bootstrap ## regenerate what follows from the code: proto/, deploy/nats.conf
	$(RUN)/python -m fastflow_cli.proto
	$(RUN)/python scripts/module_tables.py
	$(RUN)/python scripts/who_appends.py
	$(RUN)/python -m fastflow_events.nats.server_conf >deploy/nats.conf

clean: ## remove what the targets above made in this folder
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist benchmarks/results.json
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

pristine: ## remove all that the targets ever set up, the engine of `make docker` with its data included
	@scripts/pristine
