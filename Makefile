# GNU make 3.81 or newer. The work is done by `bushu`; make prepares .venv and names the commands.
.DEFAULT_GOAL := help
.PHONY: help site test test-all serve export illustrate bench bench-diffusion fonts pictures deploy check lint lock golden clean
.SUFFIXES:

ifndef SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH := $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
endif
export SOURCE_DATE_EPOCH

BIN := .venv/bin
# Without SOURCE_DATE_EPOCH, with which pip would compile byte code that is checked against its source at every import.
PIP := env -u SOURCE_DATE_EPOCH $(BIN)/python -m pip --quiet --disable-pip-version-check
SUITABLE := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c '$(SUITABLE)' 2>/dev/null && echo $$p && break; done)
TORCH ?= torch==2.13.0
DIFFUSION := $(if $(wildcard tests/diffusion),.venv/.diffusion)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

site: .venv/.runtime ## draw all sets, check them and build the gallery: build/site/
	@$(BIN)/bushu site

test: .venv/.dev $(if $(filter true,$(CI)),$(DIFFUSION)) ## set up and run the tests (without torch: all but the diffusion tests)
	@if $(BIN)/python -c 'import importlib.util as u, sys; sys.exit(not u.find_spec("torch"))'; \
	then $(BIN)/python -m pytest $(ARGS); else $(BIN)/python -m pytest -m 'not diffusion' $(ARGS); fi

test-all: .venv/.dev $(DIFFUSION) ## run every test; installs torch for the diffusion tests
	@$(BIN)/python -m pytest $(ARGS)

serve: .venv/.runtime ## show the gallery, redrawn at every change
	@$(BIN)/mkdocs serve --dirty

SET ?= picture
export: .venv/.runtime ## write a set into the kanji site's folder: make export DEST=../kanji SET=picture
	@test -n "$(DEST)" || { echo "make: export needs the kanji site's folder: make export DEST=../kanji" >&2; exit 2; }
	@$(BIN)/bushu export kanji-site "$(DEST)" --set "$(SET)"

illustrate: .venv/.diffusion ## make illustrated candidates with local models: make illustrate ARGS="85 --model demo"
	@$(BIN)/bushu illustrate $(ARGS)

bench: .venv/.dev ## measure times and memory
	@$(BIN)/python tests/bench.py
	@$(BIN)/python tests/bench_cluster.py

bench-diffusion: .venv/.diffusion ## measure the diffusion pass against a plain script
	@$(BIN)/python tests/bench_diffusion.py $(ARGS)

fonts: .venv/.dev ## rebuild the font subsets from their source packages
	@$(BIN)/python -m generator.vendor fonts

pictures: .venv/.dev ## make the pictures anew from the icon packages and our drawings
	@$(BIN)/python -m generator.icons

deploy: site ## publish the gallery to the branch gh-pages
	@$(BIN)/mkdocs gh-deploy --strict

check: .venv/.runtime ## check the data, the configuration and the drawn sets
	@$(BIN)/bushu check

lint: .venv/.dev ## ruff, mypy and the workflow checks
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	@$(BIN)/zizmor --offline --quiet .github

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-config \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' pyproject.toml
lock: .venv/.dev ## resolve the lock files again; newer versions: make lock ARGS=--upgrade
	@$(COMPILE) --group build --output-file requirements.lock $(ARGS)
	@$(COMPILE) --group build --extra review --extra providers --extra cluster --extra fonts --extra pictures --extra dev \
		--constraints requirements.lock --output-file requirements-dev.lock $(ARGS)
	@echo "torch; python_version < '3'" | $(COMPILE) --extra diffusion --extra providers --extra cluster \
		--constraints requirements-dev.lock --override /dev/stdin --output-file requirements-diffusion.lock $(ARGS)

golden: .venv/.dev ## write the golden files anew; look at the difference before committing it
	@$(BIN)/python -m pytest tests/test_golden.py tests/test_prompts.py --golden

clean: ## remove what was built and the caches; keeps .venv, candidates and review decisions
	@rm -rf dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@test ! -d build || find build -mindepth 1 -maxdepth 1 ! -name candidates ! -name review -exec rm -rf {} +

.venv/bin/python:
	@"$(PYTHON)" -c '$(SUITABLE)' 2>/dev/null || { echo "make: needs Python 3.11 or newer with venv" \
		"(Debian: apt install python3-venv; Fedora: dnf install python3; macOS: brew install python3)" \
		"or PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "making .venv with $$("$(PYTHON)" --version)"
	@"$(PYTHON)" -m venv --clear .venv

.venv/.runtime: requirements.lock pyproject.toml | .venv/bin/python
	@echo "installing the packages of requirements.lock"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.runtime
	@echo "installing the packages of requirements-dev.lock"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

# torch is of another build on every kind of machine, so that no lock file can name it; all that stands on it is locked.
.venv/.diffusion: requirements-diffusion.lock .venv/.runtime
	@echo "installing $(TORCH) and the packages of requirements-diffusion.lock (large)"
	@$(PIP) install '$(TORCH)'
	@$(PIP) install --require-hashes --no-deps -r requirements-diffusion.lock
	@touch $@
