# What you can do here. Needs Python 3.11 or newer, git and make; everything else is installed
# into .venv. `make run` starts the demo, `make quick` checks a change, `make test` checks all.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
# Unused modules are not worth compiling: half of the installation's time would go there.
INSTALL := $(BIN)/python -m pip install --quiet --require-hashes --no-compile
# What a clinic would put into .env; it proves the example file, too.
PRODUCTION := ENV_FILE=.env.example DATABASE_URL=sqlite://:memory: DEMO=0 DEBUG=0 \
  SECRET_KEY=only-for-the-deployment-checks-0123456789-abcdefghijklmnop \
  LINK_KEY=only-for-the-deployment-checks-too \
  TWILIO_ACCOUNT_SID=AC00000000000000000000000000000000 TWILIO_AUTH_TOKEN=none

export PIP_DISABLE_PIP_VERSION_CHECK := 1

# $(call step,name,command): a banner, the command, its time.
step = @printf '── %s\n' '$(1)'; began=$$(date +%s); $(2) && printf '   %s s\n' $$(( $$(date +%s) - began ))

.DEFAULT_GOAL := help
.PHONY: help run quick test lint types deploy sqlite postgres browser few-faults
.PHONY: audit lock clean chromium faults bench screens

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: $(VENV)/run.stamp ## the demo: a made-up clinic and a stand-in phone; another port: PORT=8100
	@ENV_FILE=/dev/null DEMO=1 PORT=$(PORT) exec $(BIN)/python manage.py up

quick: lint types ## a change: style, types, the tests that need no service; under 2 minutes
	$(call step,tests without services,$(BIN)/python -m pytest -q --numprocesses 2 \
	  -m "not services and not browser and not thorough")

# Two at a time: much of a test is waiting. What each prints comes when it has ended. The faults come
# last and have the right of way: the tests are nice to them.
test: lint types deploy chromium ## everything, on SQLite and on PostgreSQL
	@echo "Tests on SQLite, on PostgreSQL, in the browser and under faults, two at a time: some minutes of silence"
	@$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=target sqlite browser postgres few-faults

lint: $(VENV)/dev.stamp ## ruff, the import contracts, the templates
	$(call step,ruff check,$(BIN)/ruff check --quiet .)
	$(call step,ruff format,$(BIN)/ruff format --check --output-format concise .)
	$(call step,import contracts,$(BIN)/lint-imports --no-logo)
	$(call step,templates,$(BIN)/djlint --quiet --allow-empty-input --lint --check templates)

types: $(VENV)/dev.stamp ## mypy, strict
	$(call step,mypy,$(BIN)/mypy aftercare patients reminders tests)

deploy: $(VENV)/dev.stamp ## Django's checks under a production's settings
	$(call step,deployment checks,$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING)

sqlite: $(VENV)/dev.stamp ## every test outside the browser, on SQLite
	$(call step,tests on SQLite,nice $(BIN)/python -m pytest -q -m "not browser")

browser: chromium ## the tests in the browser
	$(call step,tests in the browser,nice $(BIN)/python -m pytest -q -m browser)

postgres: $(VENV)/dev.stamp ## the tests of what the database decides, on PostgreSQL
	$(call step,tests on PostgreSQL,nice $(BIN)/python -m pytest -q --database postgres -m both_databases)

few-faults: $(VENV)/dev.stamp
	$(call step,each fault a few times,$(BIN)/python -m tests.faults --small)

faults: $(VENV)/dev.stamp ## break every part on purpose and count what became of it; about an hour
	$(call step,faults,$(BIN)/python -m tests.faults)

bench: $(VENV)/dev.stamp ## measure it beside what people usually build; a quarter of an hour
	$(call step,bench,$(BIN)/python -m tests.bench)

screens: $(VENV)/dev.stamp chromium ## pictures of every state of the patient's pages, in docs/screens
	$(call step,screens,$(BIN)/python -m pytest -q tests/browser/make_screens.py)

# In an environment of its own, as only this needs it; --strict: what cannot be asked about fails.
audit: $(VENV)/dev.stamp ## known holes in the packages we pin; needs the network: asks the package index
	$(call step,packages,for name in requirements requirements-demo requirements-dev; do \
	  $(BIN)/uvx --quiet --from pip-audit==2.10.1 pip-audit --strict --disable-pip --require-hashes \
	    --progress-spinner off -r $$name.txt || exit 1; done)

lock: $(VENV)/dev.stamp ## compile the requirements again, within what the .in files allow
	@for name in requirements requirements-demo requirements-dev; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-header $$name.in --output-file $$name.txt || exit 1; \
	done

clean: ## remove what the demo and the checks left behind, the demo's data too
	rm -rf var .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# --- What must be there first ----------------------------------------------------------------

# $(call need,test,package,what to say): install a Debian package as root, or name it.
need = @$(1) 2>/dev/null || \
  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
    echo "Installing $(2)"; export DEBIAN_FRONTEND=noninteractive; \
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends $(2); } >/dev/null; \
  else echo "$(3): sudo apt-get install $(2)"; exit 1; fi

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Aftercare needs Python 3.11 or newer; name one with PYTHON=python3.12"; exit 1; }
	$(call need,$(PYTHON) -c "import ensurepip",python3-venv,Python lacks its venv module; install it with)
	@$(PYTHON) -m venv --clear $(VENV)

$(VENV)/run.stamp: requirements.txt requirements-demo.txt | $(BIN)/pip
	@echo "Installing what the site and the demo need"
	@$(INSTALL) -r requirements.txt -r requirements-demo.txt
	@touch $@

$(VENV)/dev.stamp: requirements.txt requirements-dev.txt | $(BIN)/pip
	@echo "Installing what the site and the tests need"
	@$(INSTALL) -r requirements.txt -r requirements-dev.txt
	@touch $(VENV)/run.stamp $@

# The browser tests use the system's Chromium: it comes with its libraries and security updates.
chromium: $(VENV)/dev.stamp
	$(call need,command -v chromium >/dev/null,chromium fonts-dejavu-core,The browser tests need Chromium; install it with)
	$(call need,$(BIN)/python -m playwright --version >/dev/null,libatomic1,The browser tests need a library; install it with)
