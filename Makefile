# Two commands set everything up: `make run` and `make test`. Both need Python 3.11..3.13 and make, nothing else.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3,11)<=sys.version_info[:2]<(3,14))' 2>/dev/null \
	&& echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
export TELLTALE_TEST_DATA ?= ../shared/data
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true

.PHONY: run test soak lint bench chromium clean

run: $(VENV)/.run
	$(BIN)/telltale run --demo

test: $(VENV)/.dev chromium lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

soak: $(VENV)/.dev chromium
	TELLTALE_SOAK=1 $(BIN)/python -m pytest tests/faults tests/property tests/integration/test_train_all_benchmark.py --timeout 3600 --numprocesses 2 --dist load

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks.demo_fleet --json benchmarks/out/demo_fleet.json
	$(BIN)/python -m benchmarks.ingest --json benchmarks/out/ingest.json
	$(BIN)/python -m benchmarks.warehouse --rows 100000000 --json benchmarks/out/warehouse.json
	$(BIN)/python -m benchmarks.streaming --json benchmarks/out/streaming.json
	$(BIN)/python -m benchmarks.label_load --json benchmarks/out/label_load.json
	$(BIN)/python -m benchmarks.anomalies_page --json benchmarks/out/anomalies_page.json
	$(BIN)/python -m benchmarks.learning --json benchmarks/out/learning.json
	@test -d $(TELLTALE_TEST_DATA)/smap_msl || { echo "No NASA telemetry in $(TELLTALE_TEST_DATA): skipped"; exit 0; }; \
	$(BIN)/python -m benchmarks.telemanom $(TELLTALE_TEST_DATA)/smap_msl/data.zip \
		$(TELLTALE_TEST_DATA)/smap_msl/labeled_anomalies.csv \
		--reference $(TELLTALE_TEST_DATA)/smap_msl/reference_events.csv --json benchmarks/out/telemanom.json; \
	$(BIN)/python -m benchmarks.smap_msl $(TELLTALE_TEST_DATA)/smap_msl/data.zip \
		$(TELLTALE_TEST_DATA)/smap_msl/labeled_anomalies.csv --events benchmarks/out/smap_msl.csv \
		--scores benchmarks/out/smap_msl --json benchmarks/out/smap_msl.json; \
	$(BIN)/python -m benchmarks.tsb_ad $(TELLTALE_TEST_DATA)/smap_msl/data.zip \
		$(TELLTALE_TEST_DATA)/tsb_ad/published_vus_pr.csv --scores benchmarks/out/tsb_ad \
		--json benchmarks/out/tsb_ad.json; \
	$(BIN)/python -m benchmarks.skab $(TELLTALE_TEST_DATA)/skab --json benchmarks/out/skab.json; \
	$(BIN)/python -m benchmarks.nab $(TELLTALE_TEST_DATA)/nab --json benchmarks/out/nab.json

# Stamps: an install is repeated only when what it was made from has changed.
$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Telltale needs Python 3.11, 3.12 or 3.13 on the PATH (or PYTHON=/path/to/python3)."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "Python's venv module is missing. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	@touch $@ $(VENV)/.run

# Browser tests drive a Chromium that is there, else Debian's when this user may install it.
chromium:
	@for c in "$$TELLTALE_CHROMIUM" chromium chromium-browser google-chrome; do \
		[ -n "$$c" ] && command -v "$$c" >/dev/null 2>&1 && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		echo "Installing Debian's chromium for the browser tests"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	else \
		echo "Browser tests need Chromium: install it (Debian: apt-get install chromium) or set TELLTALE_CHROMIUM to its path."; exit 1; \
	fi

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
