# One command a task. `make run` and `make test` do all set-up by themselves.
PYTHON ?= python3
PYVER  := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
VENV   := .venv/$(PYVER)
PY     := $(VENV)/bin/python
# Versions between the two locked ones resolve like the newer.
LOCK   := requirements/dev-$(if $(filter 3.11,$(PYVER)),3.11,3.13).lock

.PHONY: run test check bench eval eval-introductions clean setup node lock format package test-package openapi

setup: $(VENV)/.stamp node_modules/.stamp

$(VENV)/.stamp: $(LOCK)
	@$(PYTHON) -c 'import sys; sys.exit("Rapport needs Python 3.11 or newer, found %s" % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	@touch $@

node_modules/.stamp: package-lock.json | $(VENV)/.stamp
	$(PY) -m local.node ci
	@touch $@

run: setup
	@$(PY) -m local.run up

# Tests wait about as often as they compute: one process more than there are cores. WORKERS=0: all in one.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
# What check runs of the tests; `make test` runs every test.
CHECKED := tests/unit/test_import_arrows.py tests/functions/test_worker_rules.py tests/infra

test: setup
	$(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: setup
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m tests.infra.bicepcheck infra
	$(PY) -m check_jsonschema --schemafile tests/infra/schema/azure.yaml.json azure.yaml
	$(PY) -m pytest -q -p no:cacheprovider $(CHECKED)

bench: setup
	$(PY) -m bench

# make eval MAIL=mail.csv.gz HORIZON=30: does the score foretell that contact goes on? Default: the sample's own mail.
eval: setup
	@$(PY) -m bench.evaluate $(MAIL) $(HORIZON)

# make eval-introductions MAIL=mail.csv.gz COLLEAGUES=ids.txt: who would have been the right colleague to ask?
# Default: the sample's own mail and sellers.
eval-introductions: setup
	@$(PY) -m bench.evaluate_introductions $(MAIL) $(COLLEAGUES)

# What is deployed: build/package/ and build/package.zip (docs/deploy.md).
package: setup
	$(PY) -m scripts.package

# The test suite on the package itself, trimmed and compiled, with the Python that runs it in Azure.
test-package: setup
	$(PY) -m scripts.package_suite -n $(WORKERS) --dist loadfile

openapi: setup
	$(PY) -m scripts.openapi

format: setup
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

lock: setup
	$(PY) -m local.lock

clean:
	rm -rf .venv node_modules .local build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
