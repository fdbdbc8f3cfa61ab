# What there is to run: `make help`. The work itself is in scripts/ and in `python -m deploy.embedded`.
BIN := .venv/bin
DEBUG ?= 1
export DEBUG

# Change these to run a part: make test PYTEST="tests/test_protocol.py -x"
PYTEST ?=
PROCESSES ?= 4

.DEFAULT_GOAL := help
.PHONY: help run test check check-types check-rest bench lock clean setup setup-dev

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' Makefile

run: setup ## Start web, worker, beat and Redis (PORT, DATA_DIR, OPENAI_API_KEY, ...)
	@exec $(BIN)/python -m deploy.embedded

test: setup-dev ## Run every check, and the whole suite: on PostgreSQL, and its database part on SQLite
	@PROCESSES=$(PROCESSES) scripts/test.sh $(PYTEST)

# mypy takes as long as all the others together, and each of them one processor.
check: setup-dev ## Run the linters, the type checkers and the JavaScript tests
	@$(MAKE) --no-print-directory --jobs 2 --output-sync check-types check-rest

check-types:
	$(BIN)/mypy .

check-rest:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	DATABASE_URL=sqlite://:memory: $(BIN)/python manage.py makemigrations --check --dry-run
	scripts/node.sh npm run --silent check
	scripts/node.sh npm test --silent

bench: setup-dev ## Measure speed side by side with other servers
	$(BIN)/python -m benchmarks

lock: setup-dev ## Pin the dependencies again (UPGRADE=1: to their newest versions)
	scripts/lock.sh

clean: ## Remove what was installed and cached (never the data folder)
	rm -rf .venv node_modules .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup:
	@scripts/setup.sh embedded

setup-dev:
	@scripts/setup.sh dev
