# The commands of this project. `make help` lists them.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
FLASK := $(BIN)/flask
PYTEST := $(BIN)/pytest -n 3 --dist worksteal
COMPOSE ?= docker compose
LOCK ?= requirements.lock
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help env venv install run test unit-test integration-test e2e-test test-system test-coverage test-all-pythons \
	lint format sure lock pictures migrate-up migrate-down migrate-create migrate-current migrate-history seed-db \
	create-user clean browser system-programs \
	bench docker-build docker-up docker-down docker-logs docker-restart docker-clean

help: ## List the commands
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

env: ## Create .env from .env.example
	@test -e .env || cp .env.example .env
	@echo "Edit .env. On one machine, you don't need to set anything."

venv: $(BIN)/python ## Create the virtual environment

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "leadapp needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

install: $(VENV)/.installed ## Install the dependencies

$(VENV)/.installed: $(LOCK) $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(LOCK)
	@touch $@

run: install ## Start the site and e-mail delivery at http://127.0.0.1:8000
	@$(FLASK) db upgrade
	@echo "The form is at $$($(FLASK) config | sed -nE 's/^BASE_URL=([^ ]+).*/\1/p')"
	@echo "Next, in another terminal: make create-user USERNAME=ana EMAIL=ana@example.com PASSWORD=..."
	@exec $(BIN)/gunicorn wsgi:app

test: install browser ## Run all tests
	$(PYTEST)

unit-test: install ## Run the tests that need no server
	$(BIN)/pytest tests/unit

integration-test: install ## Test the application with SQLite and PostgreSQL
	$(PYTEST) tests/integration

e2e-test: install browser ## Test with a real server, mail server and browser
	$(PYTEST) tests/e2e

test-system: install system-programs ## Run the tests that need a Debian program (PgBouncer, nginx)
	$(BIN)/pytest tests/system

test-coverage: install browser ## Run all tests and measure coverage; HTML report in htmlcov/
	$(PYTEST) --cov --cov-report=term --cov-report=html

test-all-pythons: ## Run all tests on each installed Python
	.ci/each-python test 3.11 3.12 3.13 3.14

lint: install ## Check formatting, style, types and import rules
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: install ## Format the code
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

sure: lint test-coverage ## Run lint and all tests; required before a push

lock: install ## Update the lock files from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header \
		--no-annotate --upgrade --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra postgres --extra s3 --extra redis --extra metrics --universal \
		--python-version 3.11 --generate-hashes --no-header --no-annotate --constraint requirements.lock \
		--output-file deploy/requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra bench --constraint requirements.lock --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --upgrade --output-file tests/load/requirements.lock

bench: .venv-bench/.installed ## Measure performance; BENCH=--help lists the options, such as --quick
	@.venv-bench/bin/python -m tests.load $(BENCH)

.venv-bench/.installed: tests/load/requirements.lock
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r tests/load/requirements.lock
	@touch $@

pictures: install browser ## Retake the screenshots in the docs
	$(BIN)/python -m tests.pictures

browser:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		command -v chromium-headless-shell >/dev/null && command -v chromium >/dev/null || { \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium chromium-headless-shell; }; \
	else \
		for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
		$(BIN)/playwright install chromium || { echo "The tests need Chromium: apt-get install chromium"; exit 1; }; \
	fi

# The Debian packages that tests/system needs. Each contains a program of the same name.
SYSTEM_PROGRAMS := pgbouncer nginx

system-programs:
	@missing=; for name in $(SYSTEM_PROGRAMS); do \
		PATH="$$PATH:/usr/sbin" command -v $$name >/dev/null || missing="$$missing $$name"; \
	done; \
	test -z "$$missing" && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	else \
		echo "These tests need:$$missing. As root: apt-get install$$missing"; exit 1; \
	fi

migrate-up: install ## Apply all migrations
	$(FLASK) db upgrade

migrate-down: install ## Undo the last migration
	$(FLASK) db downgrade

migrate-create: install ## Create a migration: make migrate-create MSG="what changes"
	$(FLASK) db migrate -m "$(MSG)"

migrate-current: install ## Show the database's current migration
	$(FLASK) db current

migrate-history: install ## Show all migrations
	$(FLASK) db history

seed-db: install ## Create the first account
	$(FLASK) seed-db

# Pass the password on as typed. Otherwise make would expand $s and turn Coun$sel into Counel.
create-user: override export PASSWORD := $(value PASSWORD)
create-user: install ## Create an account: make create-user USERNAME=ana EMAIL=ana@example.com PASSWORD=...
	@printf '%s' "$$PASSWORD" | $(FLASK) create-user --username "$(USERNAME)" --email "$(EMAIL)" --password-file -

docker-build: ## Build the image
	$(COMPOSE) build

docker-up: ## Start the database, web workers and deliverer in containers
	$(COMPOSE) up --detach --wait

docker-down: ## Stop the containers and keep their data
	$(COMPOSE) down

docker-logs: ## Follow the logs of the containers
	$(COMPOSE) logs --follow

docker-restart: ## Restart the containers
	$(COMPOSE) restart

docker-clean: ## Remove the containers and ALL THEIR DATA
	$(COMPOSE) down --volumes --rmi local

clean: ## Remove generated files, but no data
	rm -rf .venv .venv-* .coverage* htmlcov .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
