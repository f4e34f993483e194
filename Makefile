# README.md says what these are for.
PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift
program = .build/release/image-factory

.PHONY: build release check test e2e e2e-netinstall e2e-cloud demo install dist clean

build:
	$(SWIFT) build

# One file that needs no Swift where it runs.
release:
	$(SWIFT) build --configuration release --static-swift-stdlib --product image-factory

check:
	scripts/check

test:
	scripts/setup
	$(SWIFT) test --disable-xctest --no-parallel

# Full builds of the examples, with boots and upgrades: needs the network, and an hour without KVM.
e2e:
	scripts/setup
	IMAGE_FACTORY_E2E=1 $(SWIFT) test --disable-xctest --no-parallel --filter "E2ETests|ImageInspectionTests"
	scripts/test-ends-well
	scripts/test-reproducible
	scripts/test-kills 10
	scripts/test-faults --every 4 write:ENOSPC fsync:EIO rename:EDQUOT make:EROFS open:EMFILE

# Installations by installers in virtual machines, of QEMU and of libvirt: ten minutes without KVM, no network; then two
# of Debian 13 over the network, each half an hour without KVM.
e2e-netinstall:
	scripts/setup
	IMAGE_FACTORY_E2E=1 $(SWIFT) test --disable-xctest --no-parallel --filter "InstallStepLongTests|FailedInstallationTests"
	scripts/with-libvirt env IMAGE_FACTORY_LIBVIRT=1 \
		$(SWIFT) test --disable-xctest --no-parallel --filter LibvirtRealTests
	$(MAKE) --no-print-directory release
	scripts/test-debian-netinstall $(program)

# Cloud images: all ends that a small one of our own can come to, also under libvirt; then a real one is set up and reset,
# two instances are made of it, and it fails in each way, too: an hour without KVM; needs the network.
e2e-cloud:
	scripts/setup
	IMAGE_FACTORY_E2E=1 $(SWIFT) test --disable-xctest --no-parallel \
		--filter "CloudSetupLongTests|ConfiguredGuestTests|GenVMImageDownloadTests"
	scripts/with-libvirt env IMAGE_FACTORY_LIBVIRT=1 \
		$(SWIFT) test --disable-xctest --no-parallel --filter LibvirtSetupRealTests
	$(MAKE) --no-print-directory release
	scripts/test-cloud $(program) env IMAGE_FACTORY_E2E=1 \
		$(SWIFT) test --disable-xctest --no-parallel --filter RealCloudGuestTests

demo:
	scripts/setup
	$(MAKE) --no-print-directory release
	$(program) build examples/debian-13.yaml --output out

# Installs what `make release` has built, so that `sudo make install` compiles nothing.
install:
	@test -x $(program) || { echo "install: error: there is no $(program); run 'make release' first" >&2; exit 1; }
	install -D -m 0755 $(program) "$(DESTDIR)$(PREFIX)/bin/image-factory"
	install -d "$(DESTDIR)$(PREFIX)/share/image-factory/examples"
	install -m 0644 examples/*.yaml "$(DESTDIR)$(PREFIX)/share/image-factory/examples/"
	install -d "$(DESTDIR)$(PREFIX)/share/image-factory/answers"
	install -m 0644 share/image-factory/answers/* "$(DESTDIR)$(PREFIX)/share/image-factory/answers/"
	sed 's|^data_dir = .*|data_dir = $(PREFIX)/share/image-factory|' share/image-factory/image-factory.conf \
		> "$(DESTDIR)$(PREFIX)/share/image-factory/image-factory.conf"
	for name in image-factory-sudo-helper gen-vm-image configure-vm-image cloud-localds; do \
		ln -sf image-factory "$(DESTDIR)$(PREFIX)/bin/$$name" || exit 1; \
	done
	install -d "$(DESTDIR)$(PREFIX)/share/image-factory/cloud-image"
	cp -RP contrib/cloud-image/. "$(DESTDIR)$(PREFIX)/share/image-factory/cloud-image/"
	install -d "$(DESTDIR)$(PREFIX)/share/man/man1" "$(DESTDIR)$(PREFIX)/share/man/man5"
	install -m 0644 man/*.1 "$(DESTDIR)$(PREFIX)/share/man/man1/"
	install -m 0644 man/*.5 "$(DESTDIR)$(PREFIX)/share/man/man5/"
	install -d "$(DESTDIR)$(PREFIX)/share/bash-completion/completions" "$(DESTDIR)$(PREFIX)/share/zsh/site-functions" \
		"$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d"
	$(program) --generate-completion-script bash > "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/image-factory"
	$(program) --generate-completion-script zsh > "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_image-factory"
	$(program) --generate-completion-script fish > "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/image-factory.fish"

dist:
	scripts/dist

clean:
	rm -rf .build out dist
