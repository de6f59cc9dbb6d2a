# Every target sets up what it needs in .venv by itself; that takes a tenth of a second when it is there.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test test-core fuzz fuzz-api check lint format docs docs-serve reference bench serve lock upgrade clean
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
CORE_VENV := .venv-core
BIN := $(VENV)/bin
BENCH ?= $(patsubst benchmarks/%.py,%,$(filter-out benchmarks/_%,$(wildcard benchmarks/*.py)))
NOT_CORE := --ignore=tests/web --ignore=tests/operate --ignore=tests/jobs/test_killed.py
INSTALL := $(PYTHON) tools/environment.py
export NO_MKDOCS_2_WARNING := 1

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## install the core and show real anomalies
	@$(INSTALL) $(VENV) core
	@$(BIN)/anomaly-detection demo

test: ## all tests and doctests; nothing is skipped for want of an extra
	@$(INSTALL) $(VENV) dev
	@AD_REQUIRE_EXTRAS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-core: ## the same tests with no extras installed, less those of a running service in its surroundings
	@$(INSTALL) $(CORE_VENV) core-test
	@$(CORE_VENV)/bin/python -m pytest -n $(WORKERS) --dist worksteal $(NOT_CORE) $(ARGS)

fuzz: ## the tests that draw their inputs, with new draws and more of them; make a find an example of its test
	@$(INSTALL) $(VENV) dev
	@AD_REQUIRE_EXTRAS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --hypothesis-profile=fuzz -m hypothesis $(ARGS)

fuzz-api: ## 2,000 requests a route, made up from the OpenAPI document; ROUTE=volume for those whose path has it
	@$(INSTALL) $(VENV) dev
	@FUZZ_EXAMPLES=2000 FUZZ_PHASES=examples,coverage,fuzzing FUZZ_SEED=$$RANDOM FUZZ_ONLY=$(ROUTE) $(BIN)/python -m pytest tests/api/test_openapi.py

lint: ## style, types, layers, sizes, text, reference pages up to date
	@$(INSTALL) $(VENV) dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config importlinter.toml
	$(BIN)/python tools/check_sizes.py
	$(BIN)/python tools/check_text.py
	$(BIN)/python tools/reference.py --check

format: ## let ruff mend what it can
	@$(INSTALL) $(VENV) dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

reference: ## write the pages of docs/ that come from the code
	@$(INSTALL) $(VENV) dev
	$(BIN)/python tools/reference.py

docs: ## build the documentation into site/; a warning fails
	@$(INSTALL) $(VENV) dev
	$(BIN)/mkdocs build --strict --quiet
	$(BIN)/python tools/check_site.py site

docs-serve: ## show the documentation while you write it
	@$(INSTALL) $(VENV) dev
	$(BIN)/mkdocs serve

check: lint test test-core docs ## everything that CI checks

bench: ## run benchmarks/*.py, or BENCH="name …"; DATA=folder adds what needs labelled tables
	@$(INSTALL) $(VENV) bench
	@mkdir -p benchmarks/results
	@failed=; for name in $(BENCH); do \
		echo "== $$name"; result="benchmarks/results/$$name"; \
		if $(BIN)/python "benchmarks/$$name.py" $(if $(DATA),--data $(DATA)) $(ARGS) | tee "$$result.tmp"; then mv "$$result.tmp" "$$result.md"; \
		else failed="$$failed $$name"; fi; \
	done; $(BIN)/python tools/reference.py; \
	if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi

serve: ## the REST service and the dashboard on this machine, without keys: http://127.0.0.1:8000
	@$(INSTALL) $(VENV) core
	@$(BIN)/anomaly-detection serve --open $(ARGS)

lock: ## write requirements/*.txt from pyproject.toml, keeping the pins that still fit
	@$(INSTALL) $(VENV) dev
	$(BIN)/python tools/lock.py

upgrade: ## the same, with the newest versions
	@$(INSTALL) $(VENV) dev
	$(BIN)/python tools/lock.py --upgrade

clean: ## remove environments, caches and built files
	rm -rf $(VENV) $(CORE_VENV) .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis site build dist
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
