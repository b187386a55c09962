# Every target does its own set-up: Rust, a Python from 3.10 on and make are all it takes.

PYTHONS = $(shell sh tests/pythons.sh)
PYTHON ?= $(or $(firstword $(PYTHONS)),$(error found no Python from 3.10 on: install one, or name one by PYTHON))
VENV   := .venv
BIN    := $(VENV)/bin
WHEELS := target/wheels

# The lowest supported Polars is the one in pyproject.toml, in its last patch release.
LOWEST := $(shell sed -n 's/.*"polars>=\([0-9.]*\)".*/\1/p' pyproject.toml)

SOURCES := Cargo.toml Cargo.lock pyproject.toml README.md tools/stubs.py $(shell find src python -name '*.rs' -o -name '*.py' -o -name '_internal.pyi' -o -name py.typed)

# What editors read of the package.
STUB := python/polars_grad/__init__.pyi

# Spark runs the one that JAVA_HOME names.
JAVA := $(if $(JAVA_HOME),$(JAVA_HOME)/bin/)java

.PHONY: help example test test-compiled test-rust test-sanitized test-python test-2.0 test-lowest test-runtimes test-pythons \
	test-next test-spark test-dask test-recipes java lint lint-rust lint-python lint-workflows lint-public-api wheel sdist \
	public-api format fuzz bench docs docs-rust
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -E '^[a-z0-9.-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9.-]+):.*## /  make \1	/'

example: $(BIN)/.wheel $(BIN)/.example  ## the pressure tendency at three New York airports, slopes of a mountain range
	$(BIN)/python examples/pressure_tendency.py
	$(BIN)/python examples/terrain_slope.py

test: test-compiled lint-python lint-workflows test-python test-2.0 test-lowest test-runtimes test-pythons test-spark \
	test-dask test-recipes docs example  ## everything that CI runs

# Two at a time: a build of Polars leaves a processor idle while one large crate compiles, and miri always does. In this
# order: a check of Polars and a build for the Rust tests; the build for the wheel and the sanitizers.
test-compiled:
	$(MAKE) --jobs=2 --output-sync=line LINT_FIRST=lint-rust WHEEL_FIRST=$(WHEELS)/.built test-rust test-sanitized

# Polars takes minutes to build for each set of features. It is built twice, with these for the Rust tests and in
# release mode for the wheel, and checked once for the linter, with the features of Python, which do not compile together
# with the streaming engine that the lazy consumer asks for.
RUST := -p polars-grad -p consumer-lazy --features polars-grad/lazy,polars-grad/arrow

# Clippy compiles our own crates for the tests: what depends on this build of Polars is not checked for the linter again.
LINTED := RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=-Dwarnings__CLIPPY_HACKERY__

test-rust: $(LINT_FIRST)  ## Rust: unit tests, integration tests, doctests, consumers, examples, and clippy of all that
	$(LINTED) cargo test --no-default-features
	$(LINTED) cargo test $(RUST)
	$(LINTED) cargo test -p consumer-arrow -p consumer-kernel
	$(LINTED) cargo build $(RUST) --examples
	for example in $(basename $(notdir $(wildcard examples/*.rs))); do \
		target/debug/examples/$$example || exit 1; done
	@# In a place of its own: cargo would take what it builds of the packaged copy for the library itself.
	cargo package --no-default-features --target-dir target/packaged

# Without Polars, so that all of it has the sanitizer. Miri takes minutes for what runs in a second: few random cases.
SANITIZED := --no-default-features --features arrow --lib --tests --target $(shell rustc -vV | sed -n 's/^host: //p')

test-sanitized: $(WHEEL_FIRST)  ## the kernels and the Arrow face with AddressSanitizer, and in miri, where nightly Rust has them
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

# These count threads and measure memory, with no other test beside them.
ALONE := tests/python/threads_test.py tests/python/memory_test.py
# A file is run by one process, since some of its fixtures take long. Called with the folder of an environment.
suite = $(1)/bin/python -m pytest --numprocesses=auto --dist=loadfile $(ALONE:%=--ignore=%) && \
	$(1)/bin/python -m pytest $(ALONE)

test-python: $(BIN)/.wheel $(BIN)/.test  ## Python, on the newest Polars
	$(call suite,$(VENV))

test-2.0: $(VENV)-2.0/.wheel  ## the same wheel on Polars 2.0.0
	$(call suite,$(VENV)-2.0)

test-lowest: $(VENV)-lowest/.wheel  ## the same wheel on the lowest supported Polars
	$(call suite,$(VENV)-lowest)

# The part of the suite that tells within seconds whether the wheel works on another Python or runtime.
TELLING := tests/python/versions_test.py tests/python/parity_numpy_test.py tests/python/portability_test.py \
	tests/python/operators_test.py tests/python/stub_test.py
# Called with the folder of an environment.
telling = $(1)/bin/python -c 'import polars_grad; polars_grad.show_versions()' && $(1)/bin/python -m pytest $(TELLING)

test-runtimes: $(VENV)-runtimes/.wheel  ## the same wheel on Polars' other runtimes: 64-bit, old processors
	POLARS_FORCE_PKG=64 && export POLARS_FORCE_PKG && $(call telling,$(VENV)-runtimes)
	POLARS_FORCE_PKG=compat && export POLARS_FORCE_PKG && $(call telling,$(VENV)-runtimes)

# An environment takes 600 MB: the Python that `test-python` runs on has one already.
test-pythons: $(BIN)/.wheel $(BIN)/.test  ## the same wheel on every Python found, each with the newest Polars that it allows
	@set -e; \
	version() { $$1 -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }; \
	first=$$(version $(BIN)/python); \
	for python in $(PYTHONS); do \
		version=$$(version $$python); \
		echo "Python $$version: $$python"; \
		if [ $$version = $$first ]; then \
			$(call telling,$(VENV)) || exit 1; \
		else \
			$(MAKE) --no-print-directory PYTHON=$$python $(VENV)-python$$version/.wheel; \
			$(call telling,$(VENV)-python$$version) || exit 1; \
		fi; \
	done

test-next: $(VENV)-next/.wheel  ## the same wheel on the newest Polars, pre-releases among them
	$(call suite,$(VENV)-next)

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

lint: lint-rust lint-python lint-workflows  ## formatters, linters, type checkers, documentation warnings

lint-rust:
	cargo fmt --check
	rustfmt --check --edition 2024 $(UNSEEN)
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo clippy --all-features --all-targets -- -D warnings
	cargo clippy --no-default-features -- -D warnings
	cargo clippy --no-default-features --features serde -- -D warnings
	cargo clippy --no-default-features --features arrow -- -D warnings
	@# Examples, so that features of what they depend on are those of the check before: else Polars is checked again.
	RUSTDOCFLAGS="-D warnings" cargo doc --all-features --no-deps --lib --examples
	@if cargo deny --version > /dev/null 2>&1; then \
		cargo deny check licenses bans sources; \
	else \
		echo "dependencies not checked, as they are with: cargo install --locked cargo-deny" >&2; \
	fi
	@if cargo public-api --version > /dev/null 2>&1; then \
		$(MAKE) --no-print-directory lint-public-api; \
	else \
		echo "public API not compared, as it is with: cargo install --locked cargo-public-api" >&2; \
	fi

# The feature python adds nothing public.
.PHONY: target/public-api.txt
target/public-api.txt:
	RUSTDOC=$(CURDIR)/tools/rustdoc-json.sh RUSTDOCFLAGS="-Zunstable-options --output-format json" \
		cargo doc --quiet --all-features --no-deps --lib --examples
	cargo public-api --rustdoc-json target/doc/polars_grad.json -sss > $@

lint-public-api: target/public-api.txt
	@diff -u tests/public-api.txt target/public-api.txt || \
		{ echo "the public API has changed: look at it, and run make public-api" >&2; exit 1; }

public-api: target/public-api.txt  ## write tests/public-api.txt, the public Rust API, whose diff is to be looked at
	cp target/public-api.txt tests/public-api.txt

lint-python: $(STUB) $(BIN)/.test $(BIN)/.lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/basedpyright --pythonpath $(BIN)/python

SCHEMA := $(BIN)/check-jsonschema --builtin-schema

lint-workflows: $(BIN)/.lint
	$(BIN)/zizmor --quiet --offline .github
	$(SCHEMA) vendor.github-workflows .github/workflows/*.yml
	$(SCHEMA) vendor.dependabot .github/dependabot.yml
	$(SCHEMA) vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(SCHEMA) vendor.github-issue-forms $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
	$(SCHEMA) vendor.citation-file-format CITATION.cff

format: $(BIN)/.lint  ## format everything
	cargo fmt
	rustfmt --edition 2024 $(UNSEEN)
	cargo fmt --manifest-path fuzz/Cargo.toml
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

fuzz:  ## ten minutes of random Arrow arrays and options; needs nightly Rust and cargo-fuzz
	cargo +nightly fuzz run evaluate -- -max_total_time=600 -timeout=20

bench: $(BIN)/.wheel $(BIN)/.test $(BIN)/.bench  ## measure, and write docs/benchmarks.md and docs/speed.svg
	$(BIN)/python benchmarks/run.py

TARGET = $(shell rustc -vV | sed -n 's/^host: //p')

wheel: $(STUB) $(BIN)/.wheel-tools  ## the wheel for releases into dist, for any Linux with glibc 2.17 or, by TARGET, with musl
	@# maturin looks for zig, which pip installs, in PATH only.
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/maturin build --release --locked --compression-level 9 --zig --target $(TARGET) \
		--compatibility $(if $(findstring musl,$(TARGET)),musllinux_1_2,manylinux2014) --out dist

sdist: $(STUB)  ## the sources that pip builds from, into dist
	$(BIN)/maturin sdist --out dist

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
$(STUB): $(SOURCES) | $(BIN)/.polars
	$(BIN)/python tools/stubs.py

$(WHEELS)/.built: $(SOURCES) | $(STUB)
	rm -rf $(WHEELS) python/polars_grad/_internal*.so
	@echo "building the wheel; the first time, with all of Polars, this takes about ten minutes"
	$(BIN)/maturin build --release --compression-level 9 --interpreter $(BIN)/python --out $(WHEELS)
	@touch $@

$(BIN)/.polars: | $(BIN)/.venv
	$(BIN)/pip install --quiet --upgrade polars
	@touch $@

$(BIN)/.wheel: $(WHEELS)/.built | $(BIN)/.venv
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
$(VENV)-runtimes/.wheel: POLARS := polars[rt64,rtcompat]
# A bound that is a pre-release itself admits pre-releases of this package alone.
$(VENV)-next/.wheel: POLARS := polars>=$(LOWEST)rc0
$(VENV)-dask/.wheel: GROUP := dask
$(VENV)-docs/.wheel: GROUP := docs
$(VENV)-recipes/.wheel: GROUP := recipes
$(VENV)-spark/.wheel: GROUP := spark
# The pip of the first environment installs into the others: making and updating one for each takes five seconds.
$(VENV)-%/.wheel: PIP = $(BIN)/pip --python $(@D)/bin/python
$(VENV)-%/.wheel: $(WHEELS)/.built | $(BIN)/.venv
	$(PYTHON) -m venv --without-pip $(@D)
	$(PIP) install --quiet --group $(GROUP) '$(POLARS)'
	$(PIP) install --quiet --force-reinstall --no-deps $(WHEELS)/*.whl
	@touch $@
