# make run     set up, then open the studio on the bundled sequence (or restore it, where there is no display)
# make setup   set up alone: .venv with everything in it, and the system libraries behind the window
# make test    set up, then lint, types, import contracts and every test
# make bench   the measurements behind the figures in README.md
# make clean   remove what set-up and tests made

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_TO_TEST := $(VENV)/.ready-to-test
KERNELS := engine/model/cpu_kernels
SAMPLE := resources/samples/city
OUT ?= out

.DEFAULT_GOAL := run
.PHONY: run setup test bench clean

setup: $(READY)
	@sh resources/install/system_libraries.sh || true

$(READY): pyproject.toml constraints.txt $(wildcard $(KERNELS)/*.[ch])
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is $$($(PYTHON) --version 2>&1); the studio needs Python 3.11 or newer. Run: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
		{ echo "$(PYTHON) cannot make virtual environments. Run once: sudo apt-get install -y python3-venv" >&2; exit 1; }
	@echo "Installing into $(VENV) (a few minutes, once)"
	@# torch first and by its exact version: a looser spelling may fetch gigabytes of another build
	@$(BIN)/python -m pip install --quiet "$$(grep '^torch==' constraints.txt)"
	@rm -f $(KERNELS)/*.so
	@$(BIN)/python -m pip install --quiet --editable '.[development]' --constraint constraints.txt
	@# only processors of this kind have kernels in C, and only a compiler makes them
	@if [ "$$(uname -sm)" = "Linux x86_64" ] && ! ls $(KERNELS)/avx2*.so $(KERNELS)/avx512*.so >/dev/null 2>&1; then \
		echo "The network's kernels were not compiled, and it will take nearly twice as long on this CPU." >&2; \
		echo "To have them, run once: sudo apt-get install -y gcc libc6-dev && touch pyproject.toml && make setup" >&2; \
	fi
	@touch $(READY)

run: setup
	@if [ "$$(uname -s)" != Linux ] || [ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ]; then \
		exec $(BIN)/python -m app $(SAMPLE); \
	else \
		echo "No display here: restoring the bundled sequence on the command line instead."; \
		$(BIN)/python -m engine restore $(SAMPLE) --out $(OUT)/city --overwrite --side-by-side $(OUT)/city/side-by-side.png && \
		echo "Blurry and restored, side by side: $(abspath $(OUT))/city/side-by-side.png" && \
		echo "To see the window: run 'make run' on a machine with a screen, or here through 'ssh -X'."; \
	fi

# A file's tests stay together, in one of as many processes as there are processors, each with one thread: a second
# one mostly waits. The window's tests wait for it, and have the machine for themselves. PROCESSES= takes one.
PROCESSES ?= --numprocesses logical --maxprocesses 4 --dist loadfile

# Tests run the GPU kernel through Triton's interpreter, where there is a Triton.
$(READY_TO_TEST): $(READY)
	@$(BIN)/python -m pip install --quiet --editable '.[kernels]' --constraint constraints.txt
	@touch $(READY_TO_TEST)

test: setup $(READY_TO_TEST)
	@echo "== lint" && $(BIN)/ruff check . && $(BIN)/ruff format --check .
	@echo "== types" && $(BIN)/mypy
	@echo "== import contracts" && $(BIN)/lint-imports
	@echo "== tests of the window" && $(BIN)/python -m pytest tests/app $(PYTEST_FLAGS)
	@echo "== tests of engine and training" && OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/engine tests/training \
		$(PROCESSES) $(PYTEST_FLAGS)

bench: setup
	@for script in $(filter-out %/screen.py,$(wildcard tests/benchmarks/*.py)); do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

clean:
	rm -rf $(VENV) $(OUT) $(KERNELS)/*.so build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
