# `make run` serves everything on this machine, `make test` tries everything. README.md tells the rest.

SHELL := /bin/sh
PYTHON := $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
# What commands need that only look at the code; data of `make run` is never touched.
CHECKED := VAR_DIR=.venv/lint EMBEDDED=1 SECRET_KEY=only-to-look-at-the-code DATABASE_URL= REDIS_URL= LOG_LEVEL=WARNING

.PHONY: run test lint bench acceptance lock messages
.DELETE_ON_ERROR:

run: .venv/run.stamp
	@exec $(BIN)/python manage.py serve

test: .venv/dev.stamp
	@exec $(BIN)/python tests/run.py all $(ARGS)

# SQLite rebuilds a table for each new column, which the migration linter takes for new columns and constraints all over;
# tests/architecture/test_migrations.py holds those two rules in its place.
lint: .venv/dev.stamp
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	git ls-files -co --exclude-standard 'templates/*.html' | xargs -r $(BIN)/djade --check --target-version 5.2
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	@mkdir -p .venv/lint
	$(CHECKED) $(BIN)/python manage.py check --fail-level WARNING
	$(CHECKED) $(BIN)/python manage.py makemigrations --check --dry-run
	$(CHECKED) DJANGO_SETTINGS_MODULE=tests.settings_for_lint $(BIN)/python manage.py lintmigrations \
	  --include-apps accounts history programs api ledger rewards purchases moving rehearsals webhooks --ignore-initial-migrations --no-cache --quiet ok ignore \
	  --exclude-migration-tests NOT_NULL ADD_UNIQUE \
	  --project-root-path .
	$(BIN)/pip check
	$(BIN)/python -m pytest -q tests/architecture/test_requirements.py tests/architecture/test_translations.py

bench: .venv/dev.stamp
	@set -e; for program in benchmarks/*.py; do echo "== $$program"; $(BIN)/python "$$program"; done

acceptance: .venv/dev.stamp
	@exec $(BIN)/python tests/run.py all -m acceptance tests/acceptance $(ARGS)

# Every string marked for translation, into locale/django.pot.
messages: .venv/dev.stamp
	$(BIN)/python -m tests.messages

# The files name every package with its hashes and no address of a registry.
lock: .venv/run.stamp
	@test -x .venv/lock/bin/uv || { $(PYTHON) -m venv .venv/lock && .venv/lock/bin/pip install -qq --disable-pip-version-check uv; }
	@for name in requirements requirements-dev; do \
	  UV_CUSTOM_COMPILE_COMMAND="make lock" .venv/lock/bin/uv pip compile --quiet $(UPGRADE) --python-version 3.11 \
	    --generate-hashes --no-emit-index-url $$name.in -o $$name.txt || exit 1; \
	done

# --- The virtual environment, made anew only when the requirements change ---

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Python 3.11 or later is needed: install it, for example by: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing; this mends it: apt-get install python3-venv" >&2; exit 1; }
	@echo "Setting up Python packages in .venv …"
	@$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.txt | .venv/bin/python
	@$(BIN)/pip install -qq --disable-pip-version-check --no-input --require-hashes -r requirements.txt
	@touch $@

.venv/dev.stamp: requirements-dev.txt .venv/run.stamp | .venv/bin/python
	@$(BIN)/pip install -qq --disable-pip-version-check --no-input --require-hashes -r requirements-dev.txt
	@touch $@
