# Each target first brings the machine to where it runs (tools/bootstrap.sh), so a fresh clone needs nothing but `make TARGET`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test unit store interop lab check bench soak soak-builds fmt doctor generate stop-docker

node := . tools/bootstrap.sh && bootstrap node
engine := . tools/bootstrap.sh && bootstrap node docker
everything := . tools/bootstrap.sh && bootstrap node postgres cosign lab docker

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

demo: ## the main job on real input, from nothing: build, submit to a service, rebuild, compare, sign, catch two frauds, gate, deploy to a stand-in
	@$(engine) && npm run --silent build && node tools/demo.ts

test: ## format, lint, types, dead code and all tests, those on the Docker engine included; ends with N passed, N failed, N skipped
	@$(everything) && npm test --silent

unit: ## the tests that need no Docker engine
	@$(node) && node tools/run-suites.ts unit house

store: ## the tests on databases: the embedded one, and PostgreSQL servers that they start and end themselves
	@. tools/bootstrap.sh && bootstrap node postgres && node tools/run-suites.ts store

interop: ## the tests against Debian's cosign and sigstore-go, which it fetches without installing them
	@. tools/bootstrap.sh && bootstrap node cosign && node tools/run-suites.ts interop

lab: ## the tests against real Sigstore servers, which BITWITNESS_LAB builds and runs; minutes the first time
	@. tools/bootstrap.sh && bootstrap node cosign lab && node tools/run-suites.ts lab

check: ## format, lint, types, dead code
	@$(node) && npm run --silent check

bench: ## what comparing costs over sha256sum, rebuilding over plain mkosi, verifying an attestation over cosign; what the service does
	@$(everything) && npm run --silent build && node bench/attestation-verify.ts && node bench/compare.ts && node bench/verify.ts && node bench/service-pages.ts && node bench/service-submit.ts && bash tools/fetch-rebuilderd.sh .tools/rebuilderd && node bench/service-workers.ts && node bench/service-latency.ts && node bench/service-followers.ts

soak: ## kills a service 200 times while it works, and in real builds, and sees that nothing is lost; SEED=N repeats one
	@. tools/bootstrap.sh && bootstrap node postgres docker && node test/torture/soak.ts stand-in $(SEED) && node test/torture/soak.ts real $(SEED)

soak-builds: ## the corpus and the kills of us and of the engine in each stage, ROUNDS times (3)
	@$(engine) && for round in $$(seq $${ROUNDS:-3}); do echo "round $$round"; npx vitest run --project docker --project docker-pairs test/crash mkosi/corpus || exit 1; done

fmt: ## format all files
	@$(node) && npm run --silent format

generate: ## make schemas/ and the generated pages of docs/ again
	@$(node) && npm run --silent generate

doctor: ## what this machine can do, and the remedy for what it cannot
	@$(node) && node src/bin/bitwitness.js doctor

stop-docker: ## stop the Docker engine, if `make` started it
	@$(node) && node tools/docker-engine.ts stop
