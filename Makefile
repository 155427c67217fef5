# Inkling: two commands. `make run` starts it, `make test` checks it; both set up .venv/ first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help run demo test suite lint sample licences tables translations dist deb check-dist check-deb clean

help:
	@echo "make run       start Inkling (without a display: the demo in the terminal)"
	@echo "make demo      index the sample library in a temporary folder, answer five questions"
	@echo "make test      style, types and tests"
	@echo "make lint      style and types only"
	@echo "make sample    draw the sample library again (needs Xvfb, xterm, openbox …)"
	@echo "make licences  write resources/licences.md again"
	@echo "make tables    write the README's tables of filters again"
	@echo "make translations  find the window's sentences again, for resources/locale"
	@echo "make dist      the wheel and the source archive, into dist/"
	@echo "make deb       a package for Debian and Ubuntu and a folder to unpack, into dist/"
	@echo "make check-dist, check-deb   install these in a clean place and use them (minutes)"
	@echo "make clean     remove .venv and caches"

# Written last by prepare.py, so that a broken set-up is done again and a finished one costs nothing.
$(READY): pyproject.toml
	@$(PYTHON) resources/setup/prepare.py $(VENV)

run: $(READY)
	@$(BIN)/python resources/setup/run.py

demo: $(READY)
	@$(BIN)/python -P -m desktop demo

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# Many tests wait for real processes: with four at a time two cores are hardly ever idle, and six are
# no faster. A module stays with one worker, which makes its fixtures once. Where the environment
# forbids to keep what is compiled, every process of every test would compile anew.
# Style and types take a minute of one core, so they run beside.
test: $(READY)
	@$(MAKE) --no-print-directory -j 2 lint suite

suite: export PYTHONDONTWRITEBYTECODE =
suite: $(READY)
	$(BIN)/python resources/setup/check_system.py
	QT_QPA_PLATFORM=offscreen $(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder

sample: $(READY)
	$(BIN)/python resources/sample/maker

licences: $(READY)
	$(BIN)/python resources/setup/list_licences.py > resources/licences.md.new
	mv resources/licences.md.new resources/licences.md

tables: $(READY)
	$(BIN)/python resources/setup/write_tables.py

translations: $(READY)
	$(BIN)/python resources/setup/write_catalogues.py

dist: $(READY)
	@$(BIN)/python resources/setup/build_dist.py dist

deb: $(READY)
	@$(BIN)/python resources/setup/build_deb.py dist

check-dist: dist
	@$(BIN)/python resources/setup/check_dist.py dist/*.whl

check-deb: deb
	@$(BIN)/python resources/setup/check_deb.py dist/*.deb dist/inkling-*.tar.gz

clean:
	rm -rf dist $(VENV) .mypy_cache .ruff_cache .pytest_cache build *.egg-info
