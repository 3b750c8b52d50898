# Archipelago: `make demo` shows it, `make test` proves it.

SWIFT ?= swift
export PATH := $(CURDIR)/.tools/bin:$(PATH)

.PHONY: help setup build demo test chaos fuzz check lint clean

help: ## Show the targets.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: ## Install what is missing (apt packages, Trivy, the Python tools of tests); pinned, and quick when nothing is.
	@scripts/setup.sh

build: setup ## Build the executable.
	@$(SWIFT) build --quiet --product archipelago
	@$(SWIFT) build --quiet --product archipelago-cage-entry

demo: build ## A Cargo's whole way, from a C file to the frames of a job.
	@scripts/demo.sh

test: setup ## Build with warnings as errors and run every test.
	@$(SWIFT) build --quiet --build-tests
	@SWIFT='$(SWIFT)' scripts/test.sh

chaos: build ## Kill processes of a network under load 500 times, and check that nothing is lost or paid twice; about an hour.
	@$(SWIFT) run --skip-build archipelago chaos --kills 500 --jobs 20000

fuzz: setup ## Feed every parser of signatures with damaged bytes, ten minutes each; about two hours on two cores.
	@$(SWIFT) build --quiet --build-tests
	@scripts/fuzz.sh

lint: ## Check format, layers and tidiness.
	@scripts/check.sh

check: lint test ## Everything that must hold for a commit.

clean: ## Remove what was built and what the demo left.
	@rm -rf .build .demo
