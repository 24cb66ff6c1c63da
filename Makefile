.DEFAULT_GOAL := help
SHELL := /bin/sh

PORT ?= 8000
ENGINE ?= sqlite
# One more than processors: some tests wait for servers and clocks.
WORKERS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
# The same order and examples each time, so that a red run is the change's doing; other seeds look further.
SEED ?= 1
BENCHMARKS ?= tests/benchmarks

PYTHON := .venv/bin/python
INSTALLED := .venv/installed
PYTEST := $(PYTHON) -m pytest
# Tests make and remove some hundred databases: where memory has room for files, that takes half the time there.
QUICK_FOLDER := $(shell [ -w /dev/shm ] && df -Pk /dev/shm | awk 'NR == 2 && $$4 > 6000000 {print "/dev/shm"}')
SUITE := $(if $(QUICK_FOLDER),TMPDIR=$(QUICK_FOLDER)) $(PYTEST) -n $(WORKERS) --dist worksteal \
	--randomly-seed=$(SEED) --hypothesis-seed=$(SEED)

# Machines with a certificate authority of their own keep it in the system's store.
export UV_SYSTEM_CERTS ?= 1
export UV_PYTHON_DOWNLOADS ?= never
# Every command of a test is a process of its own, which would compile Django anew.
export UV_COMPILE_BYTECODE ?= 1
# Images of containers often set it, and every process would compile the project and its tests again.
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK ?= 1

.PHONY: help install run serve servers test test-postgres test-sqlite coverage bench lint format lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Make .venv with everything a developer needs

$(INSTALLED): pyproject.toml uv.lock
	@python=$$(for name in python3 python3.11 python3.12 python3.13 python3.14; do \
	    if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "$$name"; break; fi; \
	done); \
	if [ -z "$$python" ]; then echo "Python 3.11 or newer is needed: install python3.11 or a later one." >&2; exit 1; fi; \
	if command -v uv >/dev/null && uv sync --quiet --locked --python "$$python"; then :; else \
	    rm -rf .venv && "$$python" -m venv .venv \
	    && .venv/bin/python -m pip install --quiet --upgrade 'pip>=25.1' \
	    && .venv/bin/python -m pip install --quiet . --group dev; \
	fi
	@touch $@

run: install ## Serve on PORT (8000) with demo data; ENGINE=postgres brings its own PostgreSQL and Valkey
ifeq ($(ENGINE),postgres)
	@$(PYTHON) -m config.ops.local var/servers $(MAKE) --no-print-directory serve
else ifeq ($(ENGINE),sqlite)
	@$(MAKE) --no-print-directory serve
else
	@echo "ENGINE=$(ENGINE): write sqlite or postgres." >&2; exit 2
endif

serve: install
	@mkdir -p var
	@$(PYTHON) manage.py migrate --verbosity 0
	@$(PYTHON) manage.py seed
	@echo "Forecourt is at http://127.0.0.1:$(PORT)/admin/ (Ctrl-C stops it)"
	@$(PYTHON) manage.py runserver $(PORT)

servers: install ## Find PostgreSQL, Valkey and Chromium, installing what may be installed
	@$(PYTHON) -m config.ops.programs

test: test-postgres test-sqlite ## Run everything: on PostgreSQL, then what holds on both on SQLite

test-postgres: servers
	FORECOURT_TEST_ENGINE=postgres $(SUITE)

test-sqlite: install ## Run what holds on both engines on a SQLite file
	FORECOURT_TEST_ENGINE=sqlite $(SUITE)

coverage: servers ## Run everything on PostgreSQL and tell which lines no test of this process runs
	@rm -f .coverage
	FORECOURT_TEST_ENGINE=postgres $(SUITE) --cov --cov-report=term:skip-covered

bench: servers ## Measure BENCHMARKS against their peers and write build/bench.json
	$(PYTEST) -o 'python_files=bench_*.py' -p no:randomly -o timeout=0 -s $(BENCHMARKS)

lint: install ## Check style, types, import directions, templates and missing migrations
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/djlint --lint --quiet config
	$(PYTHON) manage.py makemigrations --check --dry-run

format: install ## Put code into the one style
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

lock: ## Resolve the dependencies anew into uv.lock
	uv lock --default-index https://pypi.org/simple

clean: ## Remove what was built; the data in var/ and .env stay
	rm -rf .venv build staticfiles .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
