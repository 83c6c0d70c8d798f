# host: `make train` trains MNIST, `make test` runs the tests. `make help` lists all targets.
SWIFT ?= swift
CONFIG := -c release
HOST := .build/release/host
# By their names: `--build-tests` also compiles the protobuf compiler in C++, for ten minutes.
BUILD_TESTS = $(SWIFT) build $(CONFIG) --product host && $(SWIFT) build $(CONFIG) --product hostPackageTests
PACKAGES := liblua5.4-dev libcurl4-openssl-dev libssl-dev zlib1g-dev libyaml-dev libpng-dev libturbojpeg0-dev liblapack3 libreadline8 libcairo2 libdeflate0 pkg-config
MODULES := lua5.4 libcurl libcrypto zlib yaml-0.1 libpng libturbojpeg

.PHONY: $(shell awk -F ':' '/^[a-z -]+:[^=]/ { print $$1 }' $(MAKEFILE_LIST))

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z -]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## install the system packages that are missing (asks before sudo)
	@scripts/install-packages.sh "$(MODULES)" "$(PACKAGES)"

build: deps ## build .build/release/host, and write the stubs that editors read
	$(SWIFT) build $(CONFIG) --product host
	@$(HOST) types >/dev/null

train: build ## train MNIST with scripts/train.lua; ARGS="--model linear" passes options
	$(HOST) scripts/train.lua $(ARGS)

test: deps ## build and run all tests
	@scripts/install-packages.sh "$(MODULES)" "$(PACKAGES) jsonnet" jsonnet
	$(BUILD_TESTS)
	Tests/check-kernel-symbols.sh
	$(SWIFT) test $(CONFIG) --skip-build

wandb-compat: build ## compare our W&B runs with those of the official client (installed from PyPI into .venv-wandb)
	@Tests/wandb-compat/compat.sh $(HOST)

wandb-kills: deps ## kill the program 500 times and look for lost or doubled rows; KILLS=N
	$(BUILD_TESTS)
	HOST_KILLS=$(or $(KILLS),500) $(SWIFT) test $(CONFIG) --skip-build --filter WandbTests.KillTests

test-cpu-levels: build ## train some steps as older CPUs, emulated: the same bits everywhere
	@scripts/install-packages.sh "" "qemu-user" qemu-x86_64
	Tests/cpu-levels.sh $(HOST)

interop: build ## check files both ways with PyTorch, NumPy and onnxruntime (from PyPI, into .venv-interop; or PYTHON=...)
	@scripts/install-packages.sh "" "python3 python3-venv" python3
	PYTHON="$(PYTHON)" Tests/interop/run.sh $(HOST)

bench: build ## measure speed and memory into benchmarks/results.md; BENCH_QUICK=1 is shorter, AREAS="products calls" a part
	@scripts/install-packages.sh "" "python3" python3
	python3 benchmarks/bench.py

bench-peers: ## install PyTorch and wandb into .venv-bench, for make bench to compare with (several GB)
	@scripts/install-packages.sh "" "python3 python3-venv" python3
	python3 -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --upgrade torch numpy wandb

# Not part of `make test`: they need a browser, or packages from PyPI.
test-report: build ## draw the page that train.lua leaves in headless Chromium and check it; SHOTS=FOLDER keeps the pictures
	@command -v chromium >/dev/null || scripts/install-packages.sh "" chromium chromium
	$(BUILD_TESTS)
	REPORT_SHOTS="$(SHOTS)" $(SWIFT) test $(CONFIG) --skip-build --filter ReportTests

JUPYTER := .venv-jupyter
test-jupyter: build ## test the Jupyter kernel: the protocol's own tests, and the notebook (in a virtual environment)
	@/sbin/ldconfig -p | grep -q 'libzmq\.so\.5' || scripts/install-packages.sh "" "libzmq5 libcairo2" no-libzmq
	test -d $(JUPYTER) || python3 -m venv $(JUPYTER)
	$(JUPYTER)/bin/pip install --quiet --requirement Tests/Jupyter/requirements.txt
	$(HOST) jupyter install --prefix $(JUPYTER)
	$(JUPYTER)/bin/python Tests/Jupyter/kernel_test.py
	$(JUPYTER)/bin/python Tests/Jupyter/notebook_test.py

# Tests that go further than `make test` (docs/reliability.md). Each prints its seed; FUZZ_SEED and HOST_KILL_SEED repeat a run.
SANITIZED = HostTests|LuaBridgeTests|NNTests|WandbTests|KernelsTests|FileFuzzingTests
FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= 3600

test-asan: deps ## tests and random calls under AddressSanitizer
	Tests/sanitized.sh address "$(SANITIZED)"

test-tsan: deps ## tests and random calls under ThreadSanitizer
	Tests/sanitized.sh thread "$(SANITIZED)"

fuzz: build ## call everything with everything: FUZZ_SECONDS=60, FUZZ_SEED
	Tests/fuzz.sh $(HOST) $(FUZZ_SECONDS) $(FUZZ_SEED)

fuzz-files: deps ## feed broken files to all readers: FUZZ_SECONDS=60 of CPU time for each format, FUZZ_JOBS at once, FUZZ_SEED
	FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_SEED=$(FUZZ_SEED) Tests/Fuzz/run.sh

test-kill: deps ## kill training at 200 random instants
	$(BUILD_TESTS)
	HOST_KILLS=$${HOST_KILLS:-200} $(SWIFT) test $(CONFIG) --skip-build --filter HostTests.TrainingKillTests

soak: build ## train for an hour, then call every example: memory, files and threads stay flat; SOAK_SECONDS
	@folder=$$(mktemp -d); ln -s $(CURDIR)/data $$folder/data; \
	$(HOST) Tests/Lua/soak.lua $(SOAK_SECONDS) $$folder && $(HOST) Tests/Lua/long_log.lua 1000000 $$folder && \
	(cd $$folder && WANDB_SILENT=true $(CURDIR)/$(HOST) $(CURDIR)/Tests/Lua/growth.lua 120 >printed 2>errors; status=$$?; grep -a "^growth" printed; exit $$status); \
	status=$$?; rm -rf $$folder; exit $$status

docs: build ## write docs/reference.md from the declarations
	$(HOST) reference docs/reference.md

run: build ## run a script: make run SCRIPT=scripts/train.lua ARGS="--epochs 1"
	$(HOST) $(SCRIPT) $(ARGS)

repl: build ## explore interactively
	$(HOST)

clean: ## remove the pipeline and its data repo from the cluster, and local results (not the build)
	scripts/pachyderm.sh clean
	rm -rf out .pfs-local

clean-build: ## remove build products
	rm -rf .build

# Pachyderm: docs/pachyderm.md. PIPELINE=NAME or SPEC=FILE choose the pipeline, IMAGE=NAME:TAG its image, PACHD=ADDRESS the cluster.
PIPELINE ?= train-mnist
SPEC ?=
IMAGE ?=
PACHD ?=
export PIPELINE SPEC IMAGE PACHD ARGS
BUILD_IMAGE = $(or $(IMAGE),host:0.1.0)

all: ## put the data and the pipeline on the connected Pachyderm cluster (again is fine)
	scripts/pachyderm.sh all

create: ## put another pipeline on the cluster: make create PIPELINE=predict REPOS=inbox
	REPOS="$(REPOS)" scripts/pachyderm.sh create

update: ## take a new image or script: update the pipeline and run everything again
	scripts/pachyderm.sh update

status logs model push-data push-params push-script promote secret: ## work with the cluster: make status, logs, model, secret, ...
	scripts/pachyderm.sh $@

image: ## build the container image; IMAGE=NAME:TAG names it
	@engine=$$(command -v docker || command -v podman) || { echo "neither docker nor podman is installed" >&2; exit 1; }; \
	"$$engine" build -t "$(BUILD_IMAGE)" .

test-image: deps ## build the image's files in a debootstrap chroot and run jobs in it (as root; no container engine needed)
	@command -v debootstrap > /dev/null || scripts/install-packages.sh "" "debootstrap" debootstrap
	$(SWIFT) build $(CONFIG) --product host --static-swift-stdlib --scratch-path .build-static
	Tests/image/chroot.sh .build-static/release/host

LOCAL_REPOS = mnist=data/mnist scripts=scripts params=params inbox=inbox
pipeline-local: build ## run a pipeline without a cluster: make pipeline-local PIPELINE=train-mnist
	$(HOST) pipeline run $(foreach repo,$(LOCAL_REPOS),--repo $(repo)) --secret $(firstword $(wildcard secrets.local.json) secrets.json) \
	  $(ARGS) $(or $(SPEC),$(firstword $(wildcard pipelines/$(PIPELINE).json pipelines/$(PIPELINE).jsonnet)))

check-pipelines: build ## check all pipeline specs
	$(HOST) pipeline check pipelines/*.json pipelines/*.jsonnet secrets.json
