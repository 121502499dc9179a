# Everything for a person: `make demo`, `make test`. Needs make and Python 3.11 or 3.12, nothing else.
.POSIX:
.SUFFIXES:
.PHONY: demo test check stress bench clean lock setup

# The first Python of a version that the embedded servers come for; a name may exist and not work (shims).
PYTHON ?= $(shell for p in python3.12 python3.11 python3 python; do \
	"$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && echo "$$p" && break; done)
BIN = .venv/bin
N ?= 1
export EXPORT ONCE
export UV_LINK_MODE = copy

demo: setup
	@if [ -n "$$EXPORT" ]; then set -- -- "$$EXPORT"; fi; \
	if [ -n "$$ONCE" ]; then set -- --once "$$@"; fi; \
	exec $(BIN)/parley tour "$$@"

test: setup
	@$(BIN)/python -m pytest -q -n 2 $(ARGS)

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml

stress: setup
	@STRESS_N=$(N) $(BIN)/python -m pytest -q -n 2 -m stress --timeout=3600 $(ARGS)

bench: setup
	@$(BIN)/parley bench $(ARGS)

setup: .venv/.ready

.venv/.ready: requirements.lock requirements-uv.lock pyproject.toml
	@case "$$PWD" in *[\"\`\$$:]*) \
	echo "The path of this checkout holds a quote, backtick, dollar or colon, which Python's tools cannot bear: move it." >&2; \
	exit 2;; esac
	@if [ -z "$(PYTHON)" ]; then \
	echo "Parley needs Python 3.11 or 3.12 (Debian, Ubuntu: apt install python3 python3-venv), or PYTHON=/path/to/it." >&2; exit 2; fi
	@if ldd --version 2>&1 | grep -qi musl; then \
	echo "The embedded PostgreSQL needs glibc: use a Debian-like system, or the servers of compose.yaml." >&2; exit 2; fi
	@echo "Setting up .venv with $(PYTHON) (once) …"
	@"$(PYTHON)" -m venv --clear .venv || { \
	echo "Python's venv module is missing or incomplete: apt install python3-venv (or the one of your version)." >&2; exit 2; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@[ -w "$${HOME:-/}" ] || export UV_CACHE_DIR=.venv/.uv-cache; \
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock || \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@[ -w "$${HOME:-/}" ] || export UV_CACHE_DIR=.venv/.uv-cache; \
	$(BIN)/uv pip install --quiet --offline --python $(BIN)/python --no-deps --no-build-isolation -e . || \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch .venv/.ready

lock: setup
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --generate-hashes --no-header \
	--upgrade --extra embedded --extra dev -o requirements.lock pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --generate-hashes --no-header \
	--constraints requirements.lock -o requirements-prod.lock pyproject.toml
	@echo uv | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --generate-hashes --no-header \
	-o requirements-uv.lock -

clean:
	@rm -rf .venv .parley .run .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info build dist
