# host: `make train` trains MNIST, `make test` runs the tests. `make help` lists all targets.
SWIFT ?= swift
CONFIG := -c release
HOST := .build/release/host
PACKAGES := liblua5.4-dev libcurl4-openssl-dev libssl-dev zlib1g-dev pkg-config
MODULES := lua5.4 libcurl libcrypto zlib

.PHONY: help deps build train test bench docs run repl clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## install the system packages that are missing (asks before sudo)
	@scripts/install-packages.sh "$(MODULES)" "$(PACKAGES)"

build: deps ## build .build/release/host
	$(SWIFT) build $(CONFIG) --product host

train: build ## train MNIST with scripts/train.lua; ARGS="--model linear" passes options
	$(HOST) scripts/train.lua $(ARGS)

test: deps ## build and run all tests
	$(SWIFT) build $(CONFIG) --build-tests
	$(SWIFT) test $(CONFIG) --skip-build

run: build ## run a script: make run SCRIPT=scripts/train.lua ARGS="--epochs 1"
	$(HOST) $(SCRIPT) $(ARGS)

repl: build ## explore interactively
	$(HOST)

clean: ## remove build products
	rm -rf .build out
