# libae: `make` builds, `make help` lists the rest. Variables can be set on the command line or in the environment.

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
MAJOR   := $(firstword $(subst ., ,$(VERSION)))

# The ABI profile: whose structs and meanings the library has. build.rs has the default and the list of all. Another
# profile is built in a directory of its own, build/PROFILE, and has its own headers.
ABI ?=

# TLS=no builds the library without TLS, and without what it needs, into a directory of its own.
TLS ?= yes

PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
BINDIR     ?= $(PREFIX)/bin
INCLUDEDIR ?= $(PREFIX)/include
DESTDIR    ?=

CARGO   ?= cargo
OBJCOPY ?= objcopy
NM      ?= nm
STRIP   ?= strip
INSTALL ?= install
# lld cannot discard sections in a relocatable link.
ifeq ($(origin LD),default)
LD := $(notdir $(firstword $(shell command -v ld.bfd ld) ld))
endif

TARGET := $(or $(CARGO_TARGET_DIR),target)
BUILD  := build$(addprefix /,$(ABI))$(if $(filter no,$(TLS)),/no-tls)

# The committed headers are the default profile's.
HEADER_NAMES := ae.h anet.h connection.h libae.h
HEADER_DIR   := $(if $(ABI),target/include/$(ABI),include)
HEADERS      := $(addprefix $(HEADER_DIR)/,$(HEADER_NAMES))

# What the library exports: the functions of the headers, all of which are named like this.
EXPORTED := (ae|anet|conn|connection|libae|tls)[A-Z][A-Za-z0-9]*|formatAddr|isTlsConfigured|(RedisRegister|Register)[A-Z][A-Za-z]*|CT_[A-Za-z]*
# What a fork's own tls.o and rdma.o, which stay, define as well.
WEAK := RedisRegisterConnectionTypeTLS RegisterConnectionTypeRdma connCreateTLS connCreateAcceptedTLS \
	connTLSGetPeerCert tlsHasPendingData tlsProcessPendingData tlsInit tlsCleanup tlsConfigure isTlsConfigured
SONAME   := libae.so.$(MAJOR)
SHARED   := $(BUILD)/libae.so.$(VERSION)
STATIC   := $(BUILD)/libae.a
LINKS    := $(BUILD)/$(SONAME) $(BUILD)/libae.so
SERVER   := $(BUILD)/ae-server

PACKAGE     := Cargo.toml Cargo.lock build.rs src/abi/facts/layouts.csv
LIB_SOURCES := $(PACKAGE) $(shell find src -name '*.rs' -not -path 'src/bin/*')
BIN_SOURCES := $(LIB_SOURCES) $(shell find src/bin -name '*.rs')

FEATURES := $(if $(filter no,$(TLS)),--no-default-features)

ifneq ($(ABI),)
export LIBAE_ABI := $(ABI)
endif

# $(call need,TOOL,WHERE IT COMES FROM)
need = @command -v $(1) >/dev/null || { echo "make: $(1) is not installed: $(2)" >&2; exit 1; }

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all lib server run test c-tests forks bench instructions install uninstall headers check-headers clean help

all: lib server ## build the library and ae-server into build/ (the default)

lib: $(SHARED) $(LINKS) $(STATIC) ## build the library only

server: $(SERVER) ## build ae-server only

run: all ## start ae-server; options as ARGS="--port 7000"
	$(SERVER) $(ARGS)

test: all ## run every check and test (installs what it needs where it can)
	scripts/test.sh

c-tests: lib $(if $(ABI),headers) default-server $(BUILD)/libae-asan.a ## run the C tests alone; ARGS="--help" says how to run some of them
	c-tests/run.py --abi "$(ABI)" $(ARGS)

# The hiredis programs need one; it does not matter which.
.PHONY: default-server
default-server: $(if $(ABI),,server)
	$(if $(ABI),+env -u LIBAE_ABI $(MAKE) --no-print-directory ABI= server)

forks: ## build Redis, Valkey and wrk on libae and compare: FORK=redis-7.0 for one, ARGS="--help"
	c-tests/forks/forks.py $(FORK) $(ARGS)

bench: lib ## measure the event loop beside epoll, stock ae, libev, libuv, libevent and mio; ARGS="--quick", "--help"
	benches/bench.py $(ARGS)

instructions: lib ## compare the library's instruction counts with the committed ones; ARGS=--record writes them
	benches/instructions.py $(ARGS)

headers: ## write include/ anew from the sources; with ABI=PROFILE, that profile's to target/include/PROFILE
	LIBAE_HEADERS=$(HEADER_DIR) $(CARGO) test --locked --quiet --test headers written_where_asked

check-headers: ## fail when the headers are not what the sources and the facts give
	$(CARGO) test --locked --quiet --test headers

# --- the library ---------------------------------------------------------------------------------------------

# Both libraries are made of one object: the crate with all it uses, unused sections dropped, and every symbol local
# but those that are exported. So libae.a cannot clash with another Rust library in the same program, and both
# libraries export the same names. rustc's own libae.so is not used: it has no symbol versions, and cargo gives a
# package with several crate types no link-time optimization. The directory is its own since cargo would put a
# `libae.a` of another kind at the same place. Callbacks may be left by an exception or by pthread_cancel: whoever unwinds
# has to find the way through our frames.
CODEGEN := -C force-unwind-tables=yes
$(BUILD)/libae.o: $(LIB_SOURCES) Makefile
	$(call need,$(CARGO),see https://rustup.rs)
	$(call need,$(LD),install binutils)
	$(call need,$(OBJCOPY),install binutils)
	@mkdir -p $(BUILD)
	$(CARGO) rustc --locked --release $(FEATURES) --lib --crate-type staticlib --target-dir $(TARGET)/capi -- $(CODEGEN)
	$(NM) -g --defined-only $(TARGET)/capi/release/libae.a 2>/dev/null | \
		sed -nE 's/^[0-9a-f]+ [A-Z] ($(EXPORTED))$$/\1/p' | LC_ALL=C sort -u > $(BUILD)/exports
	(echo 'LIBAE_1 {'; echo '  global:'; sed 's/.*/    &;/' $(BUILD)/exports; echo '  local: *;'; echo '};') > $(BUILD)/libae.map
	$(LD) -r --gc-sections --force-group-allocation $$(sed 's/^/--require-defined=/' $(BUILD)/exports) \
		-o $(BUILD)/prelinked.o $(TARGET)/capi/release/libae.a
	$(OBJCOPY) --remove-section=.llvmbc --remove-section=.llvmcmd --keep-global-symbols=$(BUILD)/exports $(addprefix --weaken-symbol=,$(WEAK)) $(BUILD)/prelinked.o $@
	@rm $(BUILD)/prelinked.o

$(STATIC): $(BUILD)/libae.o
	$(call need,$(AR),install binutils)
	@rm -f $@
	$(AR) rcsD $@ $<

# glibc's libc.so names the loader beside libc.so.6 because __tls_get_addr lives there. The loader is in every process,
# so libc.so.6 is linked directly and stays the only libc that libae.so names. Elsewhere: what the compiler does.
ifneq (,$(findstring /,$(shell $(CC) -print-file-name=libc.so.6 2>/dev/null)))
SHARED_LIBS := -nodefaultlibs -Wl,-z,defs,--ignore-unresolved-symbol=__tls_get_addr \
	-Wl,--as-needed -lgcc_s -lm -l:libc.so.6 -l:libc_nonshared.a
else
SHARED_LIBS := -Wl,--as-needed -lgcc_s -lpthread -lm
endif

$(SHARED): $(BUILD)/libae.o
	$(call need,$(CC),install a C compiler)
	$(CC) -shared -o $@ $< -Wl,-soname,$(SONAME) -Wl,--version-script=$(BUILD)/libae.map \
		-Wl,-Bsymbolic-functions,--gc-sections,-z,relro,-z,now $(LDFLAGS) $(SHARED_LIBS)

$(LINKS): $(SHARED)
	ln -sf $(<F) $@

$(SERVER): $(BIN_SOURCES)
	$(call need,$(CARGO),see https://rustup.rs)
	@mkdir -p $(BUILD)
	$(CARGO) build --locked --release --features server --bin ae-server
	@rm -f $@ # it may be running
	cp $(TARGET)/release/ae-server $@

# For the C tests: the library with AddressSanitizer and rustc's checks of its own arithmetic and pointers. The flag is
# unstable, but the runtime comes with the stable toolchain.
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
$(BUILD)/libae-asan.a: $(LIB_SOURCES)
	@mkdir -p $(BUILD)
	RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address $(CARGO) rustc --locked $(FEATURES) --lib --crate-type staticlib \
		--target $(HOST) --target-dir $(TARGET)/asan
	cp $(TARGET)/asan/$(HOST)/debug/libae.a $@

# --- installation --------------------------------------------------------------------------------------------

install: all $(if $(ABI),headers) ## install under PREFIX (/usr/local), LIBDIR, BINDIR, INCLUDEDIR; DESTDIR is put before them
	$(INSTALL) -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)/libae $(DESTDIR)$(BINDIR)
	$(INSTALL) -m 644 $(HEADERS) $(DESTDIR)$(INCLUDEDIR)/libae
	$(STRIP) --strip-unneeded -o $(BUILD)/stripped $(SHARED)
	$(INSTALL) -m 755 $(BUILD)/stripped $(DESTDIR)$(LIBDIR)/$(notdir $(SHARED))
	$(STRIP) --strip-debug -o $(BUILD)/stripped $(STATIC)
	$(INSTALL) -m 644 $(BUILD)/stripped $(DESTDIR)$(LIBDIR)/libae.a
	$(STRIP) -o $(BUILD)/stripped $(SERVER)
	$(INSTALL) -m 755 $(BUILD)/stripped $(DESTDIR)$(BINDIR)/ae-server
	@rm $(BUILD)/stripped
	ln -sf $(notdir $(SHARED)) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(notdir $(SHARED)) $(DESTDIR)$(LIBDIR)/libae.so
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
		-e 's|@VERSION@|$(VERSION)|' libae.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/libae.pc
	@chmod 644 $(DESTDIR)$(LIBDIR)/pkgconfig/libae.pc

uninstall: ## remove what install put there, with the same variables
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,$(notdir $(SHARED)) $(SONAME) libae.so libae.a pkgconfig/libae.pc)
	rm -f $(addprefix $(DESTDIR)$(INCLUDEDIR)/libae/,$(HEADER_NAMES)) $(DESTDIR)$(BINDIR)/ae-server
	if [ -d $(DESTDIR)$(INCLUDEDIR)/libae ]; then rmdir $(DESTDIR)$(INCLUDEDIR)/libae; fi

clean: ## remove build/ and cargo's output
	rm -rf $(BUILD)
	$(CARGO) clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r target text; do printf '  make %-14s %s\n' "$$target" "$$text"; done
	@echo '  Variables: ABI=PROFILE (redis-6.2 redis-7.0 redis-7.2 redis-8.0 valkey-8.0 valkey-8.1), PREFIX=$(PREFIX), DESTDIR, LIBDIR, BINDIR, INCLUDEDIR, CARGO_TARGET_DIR, TLS=no'
