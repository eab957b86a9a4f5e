# make demo   install what is missing, load the sample county, open the dashboard
# make test   everything pytest has, browser tests included       make lint   ruff and mypy
# make bench  the measured promises; SIZES="100000 300000" for other counties
# make lock   resolve the versions again (requirements*.lock, exact and with hashes)
#
# On a bare Debian 12: python3, make, apt and a package index are enough. With uv instead of pip: see README.md.

SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SIZES ?= 100000 300000 1000000
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT := $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command "make lock" --group build pyproject.toml

.PHONY: help demo serve test lint format bench lock dev browser database clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

demo: $(VENV)/.installed
	$(BIN)/buluo demo

serve: $(VENV)/.installed
	$(BIN)/buluo serve

test: dev browser database
	$(BIN)/python -m pytest -n 3 --dist worksteal

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks.run $(SIZES)

lock: $(BIN)/python
	@test -x $(BIN)/uv || $(PIP) install uv
	$(UV_COMPILE) -o requirements.lock
	$(UV_COMPILE) --group dev -c requirements.lock -o requirements-dev.lock

dev: $(VENV)/.installed-dev

# Debian keeps ensurepip in a package of its own.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m ensurepip --version >/dev/null 2>&1 || { $(APT) update && $(APT) install -y python3-venv; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python requirements.lock pyproject.toml
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

# A browser and Chinese glyphs, for the tests of the pages.
browser:
	@command -v chromium-headless-shell >/dev/null || { $(APT) update && $(APT) install -y chromium-headless-shell; }
	@fc-list :lang=zh | grep -q . || { $(APT) update && $(APT) install -y fonts-noto-cjk; }

# A PostgreSQL server, which the tests start and stop themselves; Debian's own cluster is not made.
database:
	@ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || { $(APT) update && $(APT) install -y postgresql-common && \
		$(SUDO) sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf && \
		$(APT) install -y postgresql; }

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
