# Every target does its own set-up: Rust, Python 3.11 and make are all it takes.

PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
WHEELS := target/wheels

# The lowest supported Polars is the one in pyproject.toml, in its last patch release.
LOWEST := $(shell sed -n 's/.*"polars>=\([0-9.]*\)".*/\1/p' pyproject.toml)

SOURCES := Cargo.toml Cargo.lock pyproject.toml README.md $(shell find src python -name '*.rs' -o -name '*.py' -o -name '*.pyi' -o -name py.typed)

# Spark runs the one that JAVA_HOME names.
JAVA := $(if $(JAVA_HOME),$(JAVA_HOME)/bin/)java

.PHONY: help example test test-rust test-sanitized test-python test-2.0 test-lowest test-spark test-dask test-recipes \
	java lint format fuzz bench docs docs-rust
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -E '^[a-z0-9.-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9.-]+):.*## /  make \1	/'

example: $(BIN)/.wheel $(BIN)/.example  ## the pressure tendency at three New York airports, slopes of a mountain range
	$(BIN)/python examples/pressure_tendency.py
	$(BIN)/python examples/terrain_slope.py

test: lint test-rust test-sanitized test-python test-2.0 test-lowest test-spark test-dask test-recipes docs example  ## everything that CI runs

# Polars takes minutes to build for each set of features. It is built twice, with these for the Rust tests and in
# release mode for the wheel, and checked twice for the linter: with these, and with the features of Python, which do
# not compile together with the streaming engine that the lazy consumer asks for.
RUST := -p polars-grad -p consumer-lazy --features polars-grad/lazy,polars-grad/arrow

test-rust:  ## Rust: unit tests, integration tests, doctests, consumers, examples
	cargo test --no-default-features
	cargo test $(RUST)
	cargo test -p consumer-arrow -p consumer-kernel
	cargo build $(RUST) --examples
	for example in $(basename $(notdir $(wildcard examples/*.rs))); do \
		target/debug/examples/$$example || exit 1; done
	@# In a place of its own: cargo would take what it builds of the packaged copy for the library itself.
	cargo package --no-default-features --target-dir target/packaged

# Without Polars, so that all of it has the sanitizer. Miri takes minutes for what runs in a second: few random cases.
SANITIZED := --no-default-features --features arrow --lib --tests --target $(shell rustc -vV | sed -n 's/^host: //p')

test-sanitized:  ## the kernels and the Arrow face with AddressSanitizer, and in miri, where nightly Rust has them
	@if ! cargo +nightly --version > /dev/null 2>&1; then \
		echo "not run: AddressSanitizer needs nightly Rust, as installed by: rustup toolchain install nightly" >&2; \
	else \
		echo "AddressSanitizer:" && \
		RUSTFLAGS=-Zsanitizer=address cargo +nightly test $(SANITIZED) --target-dir target/sanitized || exit 1; \
		if cargo +nightly miri --version > /dev/null 2>&1; then \
			PROPTEST_CASES=2 MIRIFLAGS=-Zmiri-disable-isolation \
				cargo +nightly miri test $(SANITIZED) --target-dir target/miri; \
		else \
			echo "not run in miri, as installed by: rustup component add --toolchain nightly miri" >&2; \
		fi; \
	fi

test-python: $(BIN)/.wheel $(BIN)/.test  ## Python, on the newest Polars
	$(BIN)/python -m pytest

test-2.0: $(VENV)-2.0/.wheel  ## the same wheel on Polars 2.0.0
	$(VENV)-2.0/bin/python -m pytest

test-lowest: $(VENV)-lowest/.wheel  ## the same wheel on the lowest supported Polars
	$(VENV)-lowest/bin/python -m pytest

test-spark: $(VENV)-spark/.wheel java  ## the same wheel on Spark, with executors in processes of their own
	$(VENV)-spark/bin/python -m pytest tests/spark

# Its version is asked for each time: an installed Java may be gone.
java:
	@version=$$($(JAVA) -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p'); \
	if [ "$${version:-0}" -ge 17 ]; then \
		exit 0; \
	elif [ -z "$(JAVA_HOME)" ] && [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		apt-get update -qq && apt-get install -y -qq openjdk-17-jre-headless; \
	else \
		echo "Spark needs Java 17 or newer, found $${version:-none}: install it, or name one by JAVA_HOME" >&2; \
		exit 1; \
	fi

test-dask: $(VENV)-dask/.wheel  ## the same wheel on a Dask cluster of two processes
	$(VENV)-dask/bin/python -m pytest tests/dask

test-recipes: $(VENV)-recipes/.wheel  ## the recipes for Dask, DuckDB, Daft and Ray; these take a gigabyte
	$(VENV)-recipes/bin/python -m pytest tests/recipes

# Modules that a macro declares, which `cargo fmt` does not find.
UNSEEN := $(wildcard src/operators/*.rs)

lint: $(BIN)/.wheel $(BIN)/.test $(BIN)/.lint  ## formatters, linters, type checker, documentation warnings
	cargo fmt --check
	rustfmt --check --edition 2024 $(UNSEEN)
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo clippy --all-features --all-targets -- -D warnings
	cargo clippy $(RUST) --all-targets -- -D warnings
	cargo clippy -p consumer-arrow -p consumer-kernel --all-targets -- -D warnings
	cargo clippy --no-default-features -- -D warnings
	cargo clippy --no-default-features --features serde -- -D warnings
	cargo clippy --no-default-features --features arrow -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --all-features --no-deps
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(BIN)/.lint  ## format everything
	cargo fmt
	rustfmt --edition 2024 $(UNSEEN)
	cargo fmt --manifest-path fuzz/Cargo.toml
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

fuzz:  ## ten minutes of random Arrow arrays and options; needs nightly Rust and cargo-fuzz
	cargo +nightly fuzz run evaluate -- -max_total_time=600 -timeout=20

bench: $(BIN)/.wheel $(BIN)/.test $(BIN)/.bench  ## measure, and write docs/benchmarks.md and docs/grouped.png
	$(BIN)/python benchmarks/run.py

# The code of every page runs, once per version of the package and the page: outputs are kept in target/site-cache.
SITE := target/site

docs: $(VENV)-docs/.wheel  ## the documentation site, target/site/index.html: strict, without network; tests of its links
	rm -rf docs/api/generated $(SITE)
	$(VENV)-docs/bin/python -m sphinx --fresh-env --fail-on-warning --keep-going --quiet -d $(SITE).doctrees docs $(SITE)
	$(VENV)-docs/bin/python -m pytest tests/site

docs-rust:  ## the Rust documentation
	cargo doc --no-deps

$(BIN)/.venv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/pip install --quiet 'maturin>=1.9,<2'
	@touch $@

# A compiled module left in the package folder would be loaded instead of the new one.
$(WHEELS)/.built: $(BIN)/.venv $(SOURCES)
	rm -rf $(WHEELS) python/polars_grad/_internal*.so
	@echo "building the wheel; the first time, with all of Polars, this takes about ten minutes"
	$(BIN)/maturin build --release --compression-level 9 --interpreter $(BIN)/python --out $(WHEELS)
	@touch $@

$(BIN)/.wheel: $(WHEELS)/.built
	$(BIN)/pip install --quiet --upgrade polars
	$(BIN)/pip install --quiet --force-reinstall --no-deps $(WHEELS)/*.whl
	@touch $@

$(BIN)/.%: pyproject.toml | $(BIN)/.venv
	$(BIN)/pip install --quiet --group $*
	@touch $@

$(VENV)-%/.wheel: GROUP := test
$(VENV)-%/.wheel: POLARS := polars
$(VENV)-2.0/.wheel: POLARS := polars==2.0.0
$(VENV)-lowest/.wheel: POLARS := polars==$(LOWEST).*
$(VENV)-dask/.wheel: GROUP := dask
$(VENV)-docs/.wheel: GROUP := docs
$(VENV)-recipes/.wheel: GROUP := recipes
$(VENV)-spark/.wheel: GROUP := spark
$(VENV)-%/.wheel: $(WHEELS)/.built
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --upgrade 'pip>=25.1'
	$(@D)/bin/pip install --quiet --group $(GROUP) '$(POLARS)'
	$(@D)/bin/pip install --quiet --force-reinstall --no-deps $(WHEELS)/*.whl
	@touch $@
