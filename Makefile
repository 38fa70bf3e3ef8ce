# SPDX-License-Identifier: GPL-2.0-or-later
# Thin names over script/; `make install` puts a server together under PREFIX.
PREFIX ?= /opt/vos
DESTDIR ?=
PYTHON ?= python3
BIN = .venv/bin

.PHONY: check test soak fix generate demo bench dist install setup

check: ; .ci/run
test: ; script/test
demo: ; script/demo
setup: ; script/setup --dev

# The long runs: more rounds of what the suite does in short.
soak: setup
	VOSD_SOAK=1 VOSD_KILL_ROUNDS=100 $(BIN)/python -m pytest tests/interop -m "interop" --timeout 3600
	VOSD_SOAK=1 $(BIN)/python -m pytest tests/fuzz --timeout 3600
	bench/hostile

fix: setup
	$(BIN)/ruff check --fix .

generate: setup
	$(BIN)/python -m vosctl.emit

bench: setup
	bench/sip

dist: setup
	$(BIN)/pip wheel --no-deps --wheel-dir dist .

install:
	$(PYTHON) -m venv $(DESTDIR)$(PREFIX)
	$(DESTDIR)$(PREFIX)/bin/pip install --quiet --disable-pip-version-check .
	install -d $(DESTDIR)/etc/vos $(DESTDIR)/etc/systemd/system $(DESTDIR)/usr/local/bin
	install -d $(DESTDIR)/usr/lib/sysusers.d $(DESTDIR)/usr/lib/tmpfiles.d
	ln -sf $(PREFIX)/bin/vosctl $(DESTDIR)/usr/local/bin/vosctl
	sed 's|/opt/vos/|$(PREFIX)/|' systemd/vosd.service > $(DESTDIR)/etc/systemd/system/vosd.service
	install -m 644 systemd/vosd.sysusers $(DESTDIR)/usr/lib/sysusers.d/vosd.conf
	install -m 644 systemd/vosd.tmpfiles $(DESTDIR)/usr/lib/tmpfiles.d/vosd.conf
	for section in 1 5 8; do \
	    install -d $(DESTDIR)/usr/local/share/man/man$$section && \
	    install -m 644 man/*.$$section $(DESTDIR)/usr/local/share/man/man$$section/ || exit 1; \
	done
	install -D -m 644 completions/vosctl.bash $(DESTDIR)/usr/share/bash-completion/completions/vosctl
	install -D -m 644 completions/_vosctl $(DESTDIR)/usr/share/zsh/vendor-completions/_vosctl
	install -D -m 644 completions/vosctl.fish $(DESTDIR)/usr/share/fish/vendor_completions.d/vosctl.fish
