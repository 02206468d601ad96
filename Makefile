# Everything a developer types. `make` alone lists it. Needs only Python 3.11 or newer; no variable has to be set.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && break; done)
RUN := .venv/bin
ONCE ?=
PORT ?= 8080
TESTS ?=

.PHONY: help
help: ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

.PHONY: setup
setup: .venv/installed-run ## make .venv and install what the product needs

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found."; exit 1; }
	@"$(PYTHON)" -m venv .venv || { rm -rf .venv; \
		echo "$(PYTHON) cannot make virtual environments (on Debian: apt-get install python3-venv)."; exit 1; }

# The stamps make a second start install nothing; they are older than the lock file only after the lock changed.
.venv/installed-run: requirements.lock pyproject.toml | .venv/bin/python
	@echo "Installing what requirements.lock names; the first time this takes a minute or two."
	@$(RUN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(RUN)/pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
	@touch $@

.venv/installed-dev: requirements-dev.lock .venv/installed-run
	@echo "Installing what the tests and checks need."
	@$(RUN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: demo
demo: setup ## start everything and show one teacher's season; ONCE=1 ends afterwards
	@$(RUN)/yanxiu demo --port $(PORT) $(if $(ONCE),--once)

.PHONY: up
up: setup ## start everything here and serve until Ctrl-C
	@$(RUN)/yanxiu up --port $(PORT)

.PHONY: portal
portal: setup ## build the web pages that the gateway serves (Node comes from here or from a wheel)
	@$(RUN)/yanxiu portal

.PHONY: portal-check
portal-check: setup ## build them and look for mistakes in their code
	@$(RUN)/yanxiu portal --check

.PHONY: pictures
pictures: portal .venv/installed-dev ## make the pictures of docs/pictures again, by playing the stories of tests/portal
	@YANXIU_PICTURES=$(CURDIR)/docs/pictures $(RUN)/python -m pytest tests/portal

.PHONY: test
test: .venv/installed-dev ## every test that this machine can run; TESTS=tests/unit for some
	@$(RUN)/python -m pytest $(TESTS)

.PHONY: cheat
cheat: .venv/installed-dev ## play a thousand trials of every way to forge study time; SEED=n TRIALS=n
	@YANXIU_CHEAT_TRIALS=$(or $(TRIALS),1000) $(if $(SEED),YANXIU_CHEAT_SEED=$(SEED)) \
		$(RUN)/python -m pytest tests/cheating

.PHONY: authz-revoke
authz-revoke: .venv/installed-dev ## end rights a thousand times and see each refused within a second; TRIALS=n
	@YANXIU_REVOKE_TRIALS=$(or $(TRIALS),1000) $(RUN)/python -m pytest tests/matrix/test_prompt_rights.py

.PHONY: auth-abuse
auth-abuse: .venv/installed-dev ## guess a million passwords of ten thousand accounts, and codes; GUESSES=n ACCOUNTS=n ROUNDS=n
	@YANXIU_ABUSE_GUESSES=$(or $(GUESSES),1000000) YANXIU_ABUSE_ACCOUNTS=$(or $(ACCOUNTS),10000) \
		YANXIU_ABUSE_ROUNDS=$(or $(ROUNDS),500) $(RUN)/python -m pytest -s tests/component/identity/access/test_abuse.py

.PHONY: forge
forge: .venv/installed-dev ## try a hundred thousand forged certificate numbers, seals, statements and badges; FORGERIES=n
	@YANXIU_FORGERIES=$(or $(FORGERIES),100000) $(RUN)/python -m pytest tests/unit/certs/test_offline.py tests/unit/certs/test_badges.py \
		tests/component/certs/test_verification.py

.PHONY: verifier
verifier: .venv/installed-dev ## fetch the verifier of badges from npm that tests ask; they fetch it themselves otherwise
	@$(RUN)/python -m tests.clients.independent

.PHONY: sure
sure: format-check lint types imports portal-check verifier test ## all that CI checks

.PHONY: format
format: .venv/installed-dev ## lay the code out
	@$(RUN)/ruff check --quiet --select I --fix .
	@$(RUN)/ruff format .

.PHONY: format-check
format-check: .venv/installed-dev
	@$(RUN)/ruff format --check .

.PHONY: lint
lint: .venv/installed-dev ## look for mistakes
	@$(RUN)/ruff check .

.PHONY: types
types: .venv/installed-dev ## check the types
	@$(RUN)/mypy

.PHONY: imports
imports: .venv/installed-dev ## check who imports whom
	@$(RUN)/lint-imports

.PHONY: lock
lock: .venv/installed-dev ## pin the newest allowed versions, with hashes, for every Python from 3.11
	@$(RUN)/uv pip compile $(LOCK_OPTIONS) requirements.in --output-file requirements.lock
	@$(RUN)/uv pip compile $(LOCK_OPTIONS) --constraint requirements.lock requirements-dev.in \
		--output-file requirements-dev.lock
	@$(RUN)/uv pip compile $(LOCK_OPTIONS) requirements-node.in --output-file requirements-node.lock

LOCK_OPTIONS := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock" --upgrade

.PHONY: clean
clean: ## remove .venv, caches and all local data
	@if [ -x $(RUN)/python ]; then $(RUN)/python -m yanxiu.local.postgres remove .yanxiu/postgres; fi
	@rm -rf .venv .yanxiu .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
