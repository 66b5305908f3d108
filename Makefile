# Martlet's front door. `make run` shows it, `make test` proves it, `make bench` measures it, `make install` installs it.

SWIFT ?= swift
PREFIX ?= /usr/local
DEBUG := .build/debug
RELEASE := .build/release
# Downloads of what is generated from; kept, as the packages are some megabytes.
GENERATE_SOURCES := .build/generate
# The Swift runtime goes into the binary; glibc, libsystemd and libnftables stay the machine's own.
# Nothing is loaded that would look for the program's own symbols: without their table it is smaller and sooner up.
# Libraries are the system's own: the binary names no directory for them (scripts/check-runpath).
RELEASE_FLAGS := -c release --static-swift-stdlib --disable-local-rpath -Xlinker -s -Xlinker --no-export-dynamic
# Formatted by clang-format 14, which Debian 12 has (.clang-format).
C_SOURCES = $(shell find Sources Tests -name '*.[ch]')

.PHONY: build release run test test-stress test-vm fuzz lint format generate check-generated bench install images test-images clean dependencies test-dependencies

build: dependencies
	$(SWIFT) build

release: dependencies
	$(SWIFT) build $(RELEASE_FLAGS) --product martlet
	$(SWIFT) build $(RELEASE_FLAGS) --product martlet-init
	scripts/check-runpath $(RELEASE)/martlet $(RELEASE)/martlet-init

# A cluster with a sample app, and where to reach it.
run: build
	@scripts/install-missing run
	scripts/run-sample $(DEBUG)/martlet

test: test-dependencies lint check-generated
	$(SWIFT) build --build-tests
	$(MAKE) test-images
	scripts/run-tests

# All unit tests, again and again on a busy machine: finds what fails seldom. See scripts/test-stress for its settings.
test-stress: test-dependencies
	$(SWIFT) build --build-tests
	scripts/test-stress

# Looks for inputs that break what reads others' bytes (Tests/Fuzz). See scripts/fuzz for its settings.
fuzz: dependencies
	scripts/fuzz

# The life of a cluster where systemd and control groups of version 2 rule: in a virtual machine of its own.
test-vm: release
	@scripts/install-missing vm
	$(SWIFT) build -c release --product hello
	$(SWIFT) build --build-tests
	scripts/test-vm $(RELEASE)/martlet $(DEBUG)/martletPackageTests.xctest

# The example images in a store that all tests share and none changes.
test-images:
	MARTLET_STATE_HOME=$(CURDIR)/.build/test-images images/build.sh $(DEBUG)/martlet

lint:
	scripts/check-layers
	scripts/check-dependencies
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests Benchmarks images
	@if command -v clang-format >/dev/null; then clang-format --dry-run --Werror $(C_SOURCES); \
	else echo "clang-format is not installed: C is not checked"; fi
	scripts/check-descriptors

# The table of all built-in kinds' fields, from Kubernetes' own packages.
generate:
	python3 scripts/field_table $(GENERATE_SOURCES)

# Fails where the committed table is not what its generator makes. Without a network it only sees edits by hand.
check-generated:
	python3 scripts/field_table --check $(GENERATE_SOURCES)

format:
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests Benchmarks images
	@if command -v clang-format >/dev/null; then clang-format -i $(C_SOURCES); \
	else echo "clang-format is not installed: C is not formatted"; fi

bench: release
	@scripts/install-missing bench
	$(SWIFT) build $(RELEASE_FLAGS) --product benchmarks
	Benchmarks/run $(RELEASE)

images: build
	images/build.sh $(DEBUG)/martlet

install: release
	install -D -m 755 $(RELEASE)/martlet $(DESTDIR)$(PREFIX)/bin/martlet
	install -D -m 755 $(RELEASE)/martlet-init $(DESTDIR)$(PREFIX)/bin/martlet-init
	install -d $(DESTDIR)$(PREFIX)/share/martlet/nodes
	install -m 644 nodes/*.yaml $(DESTDIR)$(PREFIX)/share/martlet/nodes

# What a build and a cluster need of the machine; installed where it is missing.
dependencies:
	@scripts/install-missing build

test-dependencies:
	@scripts/install-missing build test

clean:
	$(SWIFT) package clean
