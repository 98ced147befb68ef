# Two commands for a new user, `make demo` and `make test`; each sets up what it needs by itself.
# Needed on the machine: npm (of any recent Node), Go 1.26 or newer.

.DEFAULT_GOAL := help
.PHONY: help demo demo-multicluster image e2e cluster test check clean setup tools demo-tools
MAKEFLAGS += --no-print-directory

# The Node 24 that npm installs with the project comes before the system's.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

modules := node_modules/.package-lock.json
sources := $(shell find src tools bench test/support -name '*.ts' 2>/dev/null)

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' Makefile

demo: dist/.built ## the main job, played on real servers; stays up until Ctrl-C. ONCE=1: ends after the story. CLUSTER=0: no Pods that run
	@node dist/tools/demo/main.js $(if $(filter-out 0,$(ONCE)),--once) $(if $(filter 0,$(CLUSTER)),--api-server)

demo-multicluster: demo-tools ## two clusters that keep their images in one registry; as demo otherwise
	@node dist/tools/demo/multicluster.js $(if $(filter-out 0,$(ONCE)),--once)

image: dist/.built ## the image of kuik, as an OCI layout in .kuik/image; needs no container engine, but Debian or Ubuntu
	@node dist/tools/release/image.js

e2e: dist/.built ## the chart on a cluster in which Pods run: install, outage, upgrade, uninstall; needs root and containerd
	@node dist/tools/e2e/main.js $(if $(filter-out 0,$(RECORD)),--record)

cluster: dist/.built ## a Kubernetes cluster in which Pods run, up until Ctrl-C; needs root and containerd
	@node dist/tools/cluster/main.js

test: setup ## types, lint, build, and every test, on real servers
	@npm run --silent check

check: test

clean: ## remove what was built here; the servers in the per-user cache stay
	rm -rf dist coverage .kuik

setup: tools

# What two clusters are played with; Helm takes minutes to build, and only the chart needs it.
demo-tools: dist/.built
	@node dist/tools/build.js etcd kube-apiserver kubectl registry crane temporal

tools: dist/.built
	@node dist/tools/build.js

dist/.built: $(modules) tsconfig.json tsconfig.build.json $(sources)
	@echo 'compiling ...'
	@npm run --silent build
	@touch $@

$(modules): package-lock.json
	@command -v npm >/dev/null || { echo 'npm is missing: install Node.js, any recent version (https://nodejs.org), and run this again' >&2; exit 1; }
	@echo 'installing npm packages ...'
	@npm ci --no-progress --loglevel=error
	@node -e 'process.exit(parseInt(process.versions.node) >= 24 ? 0 : 1)' || { echo "no Node 24 came with the npm packages for this platform ($$(uname -sm)): install Node 24 or newer and run this again" >&2; exit 1; }
	@touch $@
