PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo test check fix real faults bench docs schema lock clean

help: ## Show what can be done
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMP) ## Run a whole plant with invented data on http://127.0.0.1:8000/graphql
	@exec $(BIN)/switchgear demo $(ARGS)

test: $(STAMP) ## Run the tests, a real Tryton among them
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

check: $(STAMP) ## Check format, style, types, imports, spelling and documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/python -m docs.generate --check

fix: $(STAMP) ## Format, and mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

real: $(STAMP) ## Run the tests against other people's software, and those that are long
	SWITCHGEAR_REAL_ODOO=1 SWITCHGEAR_REAL_PHOENIX=1 $(BIN)/python -m pytest -m "real or slow" $(ARGS)

bench: $(STAMP) ## Measure what answers cost, beside Strawberry without the product
	$(BIN)/python -m tests.bench

faults: $(STAMP) ## Run all tests of faults, also those that take minutes
	$(BIN)/python -m pytest tests/faults -m "" $(ARGS)

docs: $(STAMP) ## Write the generated parts of the documents again
	$(BIN)/python -m docs.generate

schema: $(STAMP) ## Print the schema into schema/schema.graphql
	$(BIN)/switchgear schema > schema/schema.graphql

lock: $(STAMP) ## Choose the newest allowed versions and pin them with their hashes
	$(BIN)/uv pip compile --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q \
		pyproject.toml -o requirements/runtime.txt --upgrade
	$(BIN)/uv pip compile --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q \
		pyproject.toml --group development -o requirements/development.txt -c requirements/runtime.txt --upgrade

clean: ## Remove what was built and installed
	rm -rf $(VENV) build dist gateway/console/dist gateway/console/node_modules

$(STAMP): requirements/development.txt pyproject.toml hatch_build.py gateway/console/package-lock.json
	@command -v $(PYTHON) > /dev/null || { echo "Python 3.11 is needed; name it with PYTHON=..."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/development.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
