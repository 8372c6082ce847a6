# Everything a person or a machine does here. `make` alone lists it.
# Needed on the machine: Python 3.11 or newer with venv, git, make, node and npm.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet
# Keyed by content: whatever changes what is installed names another stamp.
STAMP := .venv/sockgate-$(shell cat requirements/*.txt pyproject.toml | git hash-object --stdin)

export KEEP

.DEFAULT_GOAL := help
.PHONY: help setup test demo serve bench load kill storm docs lock

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup: $(STAMP) ## create .venv with everything pinned

$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "Python's venv is needed (Debian, Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	@echo "installing into .venv"
	@$(PIP) install --no-deps --require-hashes -r requirements/build.txt -r requirements/test.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q bot
	@rm -f .venv/sockgate-*
	@touch $@

test: setup ## check form, types and directions, then run all tests
	@$(BIN)/python tests/github/install.py >/dev/null
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

demo: setup ## play an example pull request against the real server; KEEP=1 leaves it held, with a page
	@$(BIN)/python tests/github/install.py >/dev/null
	@$(BIN)/python -m tests.demo

serve: setup ## run the server; settings come from the environment
	@$(BIN)/sockgate serve

bench: setup ## measure detection on a large tree
	@$(BIN)/python -m tests.bench

load: setup ## measure how fast deliveries are acknowledged, and how evaluations scale
	@$(BIN)/python -m tests.load

kill: setup ## kill the server 200 times while 100 pull requests live, on both databases
	@$(BIN)/python tests/github/install.py >/dev/null
	@$(BIN)/python -m tests.campaigns kill

storm: setup ## let every route of GitHub fail in every way, 30 % of the time, on both databases
	@$(BIN)/python tests/github/install.py >/dev/null
	@$(BIN)/python -m tests.campaigns storm

docs: setup ## write the pages that are made from the code
	@$(BIN)/python -m tests.docs

# Run with Python 3.11: a later version may resolve to fewer packages.
lock: .tools/lock/bin/pip-compile ## pin the newest allowed versions in requirements/
	@PYTHON_LOCK=.tools/lock/bin requirements/lock

.tools/lock/bin/pip-compile:
	@$(PYTHON) -m venv .tools/lock
	@.tools/lock/bin/pip install --quiet pip-tools
