# libae: `make` builds, `make help` lists the rest. Variables can be set on the command line or in the environment.

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
MAJOR   := $(firstword $(subst ., ,$(VERSION)))

# The ABI profile: whose structs and meanings the library has. build.rs has the default and the list of all. Another
# profile is built in a directory of its own, build/PROFILE, and has its own headers.
ABI ?=

# TLS=no builds the library without TLS, and without what it needs, into a directory of its own.
TLS ?= yes

# TARGET=TRIPLE builds for another system, as CARGO_BUILD_TARGET does, into a directory of its own.
TARGET ?= $(CARGO_BUILD_TARGET)

PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
BINDIR     ?= $(PREFIX)/bin
INCLUDEDIR ?= $(PREFIX)/include
MANDIR     ?= $(PREFIX)/share/man
BASHDIR    ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR     ?= $(PREFIX)/share/zsh/site-functions
FISHDIR    ?= $(PREFIX)/share/fish/vendor_completions.d
DESTDIR    ?=

CARGO   ?= cargo
# What the GNU tools for TARGET begin with.
CROSS   ?= $(if $(TARGET),$(subst -unknown-,-,$(TARGET))-)
OBJCOPY ?= $(CROSS)objcopy
NM      ?= $(CROSS)nm
STRIP   ?= $(CROSS)strip
INSTALL ?= install
ifneq ($(CROSS),)
ifeq ($(origin CC),default)
CC := $(CROSS)gcc
endif
ifeq ($(origin AR),default)
AR := $(CROSS)ar
endif
endif
# lld cannot discard sections in a relocatable link.
ifeq ($(origin LD),default)
LD := $(notdir $(firstword $(shell command -v $(CROSS)ld.bfd $(CROSS)ld) $(CROSS)ld))
endif

TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
RELEASE := $(addsuffix /,$(TARGET))release
BUILD   := build$(addprefix /,$(TARGET))$(addprefix /,$(ABI))$(if $(filter no,$(TLS)),/no-tls)

# The committed headers are the default profile's.
HEADER_NAMES := ae.h anet.h connection.h libae.h
HEADER_DIR   := $(if $(ABI),target/include/$(ABI),include)
HEADERS      := $(addprefix $(HEADER_DIR)/,$(HEADER_NAMES))

# What the library exports: the functions of the headers, all of which are named like this.
EXPORTED := getConnectionTypeName|(ae|anet|conn|connection|libae|tls)[A-Z][A-Za-z0-9]*|formatAddr|isTlsConfigured|(RedisRegister|Register)[A-Z][A-Za-z]*|CT_[A-Za-z]*
# What libae-core.a has of these.
EXPORTED_CORE := (ae|anet)[A-Z][A-Za-z0-9]*|libae(AbiProfile|Connect|IsListening|Listen|ListenFds|ParseProxy|PeerCredentials|Set[A-Za-z]*|Version)
# What a fork's own tls.o and rdma.o, which stay, define as well.
WEAK := RedisRegisterConnectionTypeTLS RegisterConnectionTypeRdma connCreateTLS connCreateAcceptedTLS \
	connTLSGetPeerCert tlsHasPendingData tlsProcessPendingData tlsInit tlsCleanup tlsConfigure isTlsConfigured \
	tlsReconfigureIfNeeded tlsConfigureAsync tlsApplyPendingReload tlsResetCertInfo
SONAME   := libae.so.$(MAJOR)
SHARED   := $(BUILD)/libae.so.$(VERSION)
STATIC   := $(BUILD)/libae.a
CORE     := $(BUILD)/libae-core.a
INSIDE   := $(BUILD)/libae-inside.a
LINKS    := $(BUILD)/$(SONAME) $(BUILD)/libae.so
SERVER   := $(BUILD)/ae-server
CLI      := $(BUILD)/ae-cli
# Together, always: cargo chooses the features of what they depend on for all that it is told to build.
PROGRAMS := --package ae-server --package ae-cli

PC_NAMES    := $(addsuffix .pc,libae libae-static libae-core libae-inside)
CMAKE_NAMES := libaeConfig.cmake libaeConfigVersion.cmake

PACKAGE     := Cargo.toml Cargo.lock build.rs $(wildcard src/abi/facts/*.csv)
LIB_SOURCES := $(PACKAGE) $(shell find src -name '*.rs')
# Also what sources include: tables, Lua, the text of an embedded file. cargo knows exactly what has to be made again.
BIN_SOURCES := $(LIB_SOURCES) $(shell find crates -type f)

FEATURES := $(if $(filter no,$(TLS)),--no-default-features)

# The profile's own name, as a part of symbols: of those that share an ABI the one that it is called after.
WANTED_ABI := $(or $(ABI),$(shell sed -n 's/^const DEFAULT_PROFILE: .* = "\(.*\)";/\1/p' build.rs))
PROFILE := $(or $(shell awk -F, -v abi=$(WANTED_ABI) '$$1 == abi || index(" " $$3 " ", " " abi " ") { print $$1 }' \
	src/abi/facts/profiles.csv 2>/dev/null),$(WANTED_ABI))
PROFILE_ID := $(subst .,_,$(subst -,_,$(PROFILE)))

# The configuration with which the builds for tests (cargo's profile `dev`) take aws-lc and jemalloc from the release
# build. cargo compiles them for each profile anew otherwise, which takes minutes.
C_LIBRARIES := $(TARGET_DIR)/c-libraries.toml
DEV_CARGO   := $(CARGO) --config $(C_LIBRARIES)

ifneq ($(ABI),)
export LIBAE_ABI := $(ABI)
endif

ifneq ($(TARGET),)
export CARGO_BUILD_TARGET := $(TARGET)
LINKER := CARGO_TARGET_$(shell echo '$(TARGET)' | tr a-z- A-Z_)_LINKER
$(LINKER) ?= $(CC)
export $(LINKER)
endif

# $(call need,TOOL,WHERE IT COMES FROM)
need = @command -v $(1) >/dev/null || { echo "make: $(1) is not installed: $(2)" >&2; exit 1; }

# What is said on the command line is for this file alone. cargo runs jemalloc's make, which calls its folders PREFIX and
# LIBDIR as well, and would install it there.
MAKEOVERRIDES :=

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all lib server cli run test test-all deb c-tests c-tests-tools c-tests-kqueue c-tests-tsan tsan miri mutants forks conformance differ install-lib install-server install-cli uninstall-lib bench bench-server durability fuzz instructions install uninstall headers check-headers clean help

# The programs first: cargo then has the most to do side by side.
all: server cli lib ## build the library, ae-server and ae-cli into build/ (the default)

lib: $(SHARED) $(LINKS) $(STATIC) $(CORE) $(INSIDE) ## build the library only

server: $(SERVER) ## build ae-server, and with it ae-cli

cli: $(CLI) ## the same

run: all ## start ae-server; options as ARGS="--port 7000"
	$(SERVER) $(ARGS)

test: all ## test the default profile (installs what it needs where it can): some ten minutes on two cores, once it is built
	scripts/test.sh

test-all: all ## test everything else: the other profiles, with valgrind and AddressSanitizer, in real forks
	scripts/test-all.sh

c-tests: lib $(if $(ABI),headers) default-server ## run the C tests alone; ARGS="--help" says how to run some of them
	c-tests/run.py --abi "$(ABI)" $(ARGS)

c-tests-tools: lib $(if $(ABI),headers) default-server $(BUILD)/libae-asan.a ## run them with valgrind and AddressSanitizer
	c-tests/run.py --abi "$(ABI)" --kind tools $(ARGS)

c-tests-kqueue: lib default-server $(BUILD)/libae-kqueue.a $(BUILD)/kqueue.o ## run them on the kqueue back end, with what KQUEUE says for kqueue(2)
	LIBAE_KQUEUE="$(KQUEUE)" c-tests/run.py --kind kqueue $(ARGS)

c-tests-tsan: lib $(if $(ABI),headers) $(BUILD)/libae-tsan.a ## run those that have threads with ThreadSanitizer
	LIBAE_TSAN_RUNTIME="$(TSAN_RUNTIME)" c-tests/run.py --abi "$(ABI)" --kind tsan $(ARGS)

tsan: ## look for data races with ThreadSanitizer: in the default profile, and in one whose loops other threads may poll
	+$(MAKE) --no-print-directory ABI= c-tests-tsan
	+$(MAKE) --no-print-directory ABI=valkey-8.1 c-tests-tsan

miri: ## look for undefined behaviour with Miri (a nightly toolchain): in callbacks that go back into the loop, and in what timers are kept in
	scripts/check-miri.sh

# The hiredis programs need one; it does not matter which.
.PHONY: default-server
default-server: $(if $(ABI),,server)
	$(if $(ABI),+env -u LIBAE_ABI $(MAKE) --no-print-directory ABI= server)

mutants: | $(C_LIBRARIES) ## put mistakes in, one at a time, and see that tests notice: half an hour for the library; ARGS="listen.rs", "--server", "--every --sample 100", "--every --server crates/resp", "--help"
	tools/mutants/mutants.py $(ARGS)

forks: ## build Redis, Valkey and wrk on libae and compare: FORK=redis-7.0 for one, ARGS="--help"
	tools/forks/forks.py $(FORK) $(ARGS)

conformance: server ## run Redis's own test suite and random programs against ae-server and redis-server; writes docs/conformance.md
	@status=0; \
	tools/conformance/differential.py --server $(SERVER) --whole --requests 200000 || status=1; \
	tools/conformance/conformance.py --server $(SERVER) $(ARGS) || status=1; \
	exit $$status

differ: lib $(if $(ABI),headers) ## compare libae with stock on random programs of calls: PROGRAMS=1000000, SEED=1; ARGS="--help"
	tools/differ/differ.py $(addprefix --abi ,$(ABI)) --programs $(or $(PROGRAMS),1000000) --seed $(or $(SEED),1) --jobs $$(nproc) $(ARGS)

bench: lib ## measure the event loop beside epoll, stock ae, libev, libuv, libevent and mio; ARGS="--quick", "--help"
	benches/bench.py $(ARGS)

bench-server: server ## measure ae-server beside redis-server and Valkey; ARGS="--quick", "--help"
	benches/server/bench_server.py $(ARGS)

durability: | $(C_LIBRARIES) ## kill ae-server again and again under load, and look what is left; ROUNDS=1000
	AE_DURABILITY_ROUNDS=$(or $(ROUNDS),1000) $(DEV_CARGO) test --locked --package ae-server --test server killed

fuzz: server | $(C_LIBRARIES) ## try hostile bytes: INPUT=rdb, dump, request, reply, text, aof, replication, script, proxy, tls or tls_config; SECONDS=60
	C_LIBRARIES=$(C_LIBRARIES) scripts/fuzz.sh $(or $(INPUT),rdb) $(or $(SECONDS),60)

instructions: lib ## compare the library's instruction counts with the committed ones; ARGS=--record writes them
	benches/instructions.py $(ARGS)

headers: | $(C_LIBRARIES) ## write include/ anew from the sources; with ABI=PROFILE, that profile's to target/include/PROFILE
	LIBAE_HEADERS=$(HEADER_DIR) $(DEV_CARGO) test --locked --quiet --package libae --test headers written_where_asked

check-headers: | $(C_LIBRARIES) ## fail when the headers are not what the sources and the facts give
	$(DEV_CARGO) test --locked --quiet --package libae --test headers

# What is built for others is the same in every folder.
$(BUILD)/libae.o $(BUILD)/core.o $(SERVER) $(CLI) $(C_LIBRARIES): export RUSTC_WRAPPER ?= $(CURDIR)/scripts/rustc

# --- the library ---------------------------------------------------------------------------------------------

# Both libraries are made of one object: the crate with all it uses, unused sections dropped, and every symbol local
# but those that are exported. So libae.a cannot clash with another Rust library in the same program, and both
# libraries export the same names. A libae.so of rustc's own would have no symbol versions, and cargo gives a package
# with several crate types no link-time optimization: so Cargo.toml names none, and the archive is asked for here.
#
# Callbacks may be left by an exception or by pthread_cancel: whoever unwinds has to find the way through our frames.
CODEGEN := -C force-unwind-tables=yes
$(BUILD)/libae.o: $(LIB_SOURCES) Makefile
	$(call need,$(CARGO),see https://rustup.rs)
	$(call need,$(LD),install binutils)
	$(call need,$(OBJCOPY),install binutils)
	@mkdir -p $(BUILD)
	$(CARGO) rustc --locked --release --package libae $(FEATURES) --lib --crate-type staticlib -- $(CODEGEN)
	$(NM) -g --defined-only $(TARGET_DIR)/$(RELEASE)/libae.a 2>/dev/null | \
		sed -nE 's/^[0-9a-f]+ [A-Z] ($(EXPORTED))$$/\1/p' | LC_ALL=C sort -u > $(BUILD)/exports
	(echo 'LIBAE_1 {'; echo '  global:'; sed 's/.*/    &;/' $(BUILD)/exports; echo '  local: *;'; echo '};') > $(BUILD)/libae.map
	$(LD) -r --gc-sections --force-group-allocation $$(sed 's/^/--require-defined=/' $(BUILD)/exports) \
		-o $(BUILD)/prelinked.o $(TARGET_DIR)/$(RELEASE)/libae.a
	$(OBJCOPY) --remove-section=.llvmbc --remove-section=.llvmcmd --keep-global-symbols=$(BUILD)/exports $(addprefix --weaken-symbol=,$(WEAK)) $(BUILD)/prelinked.o $@
	@rm $(BUILD)/prelinked.o

$(STATIC): $(BUILD)/libae.o
	$(call need,$(AR),install binutils)
	@rm -f $@
	$(AR) rcsD $@ $<

# ae and anet alone: the same crate without TLS, of which only what their functions use is left. Without fat LTO, which
# would make the standard library's functions for panics and failed allocations local: here src/sys/abort.rs takes their
# place, and with them goes the code of backtraces. (nm sees no symbols beside bitcode.) Without debug information,
# which would be most of it: a program's own tools are to stay small.
$(BUILD)/core.o: $(LIB_SOURCES) Makefile
	$(call need,$(CARGO),see https://rustup.rs)
	$(call need,$(LD),install binutils)
	$(call need,$(OBJCOPY),install binutils)
	@mkdir -p $(BUILD)
	CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 $(CARGO) rustc --locked --release --package libae --no-default-features --lib --crate-type staticlib \
		--target-dir $(TARGET_DIR)/core -- $(CODEGEN)
	$(OBJCOPY) --remove-section=.llvmbc --remove-section=.llvmcmd $(TARGET_DIR)/core/$(RELEASE)/libae.a $@-all.a
	$(NM) $@-all.a 2>/dev/null | sed -nE -e 's/.* T (.*___rustc17rust_begin_unwind)$$/\1 libae_panicked/p' \
		-e 's/.* T (.*___rustc26___rust_alloc_error_handler)$$/\1 libae_out_of_memory/p' | sort -u > $@-redefined
	cut -d ' ' -f 1 $@-redefined > $@-weak
	$(OBJCOPY) --weaken-symbols=$@-weak $@-all.a
	$(OBJCOPY) --redefine-syms=$@-redefined $@-all.a
	$(NM) -g --defined-only $@-all.a 2>/dev/null | sed -nE 's/^[0-9a-f]+ T ($(EXPORTED_CORE))$$/\1/p' | \
		LC_ALL=C sort -u > $@-exports
	$(LD) -r --gc-sections --force-group-allocation $$(sed 's/^/--require-defined=/' $@-exports) -o $@-linked.o $@-all.a
	$(OBJCOPY) --strip-debug --keep-global-symbols=$@-exports $@-linked.o
	$(STRIP) --strip-unneeded -o $@ $@-linked.o
	@rm $@-*

$(CORE): $(BUILD)/core.o
	$(call need,$(AR),install binutils)
	@rm -f $@
	$(AR) rcsD $@ $<

# The same under names that only our headers with LIBAE_INSIDE know: an object that was compiled with a program's old
# ae.h, whose structs are others, does not link. What libae.h has beside upstream keeps its name.
BESIDE = $$(sed -nE 's/.*extern "C" fn (ae[A-Za-z]*).*/-e \1/p' src/ffi/libae.rs src/ffi/embedding.rs)
$(INSIDE): $(BUILD)/core.o
	@rm -f $@
	$(NM) -g --defined-only $< | sed -nE 's/.* ((ae|anet)[A-Z].*)$$/\1 libae_$(PROFILE_ID)_\1/p' | \
		grep -vw $(BESIDE) > $@-names
	$(OBJCOPY) --redefine-syms=$@-names $< $(BUILD)/inside.o
	$(AR) rcsD $@ $(BUILD)/inside.o
	@rm $@-names

# glibc's libc.so names the loader beside libc.so.6 because __tls_get_addr lives there. The loader is in every process,
# so libc.so.6 is linked directly and stays the only libc that libae.so names. Elsewhere: what the compiler does.
ifneq (,$(findstring /,$(shell $(CC) -print-file-name=libc.so.6 2>/dev/null)))
SHARED_LIBS := -nodefaultlibs -Wl,-z,defs,--ignore-unresolved-symbol=__tls_get_addr \
	-Wl,--as-needed -lgcc_s -lm -l:libc.so.6 -l:libc_nonshared.a
else
SHARED_LIBS := -Wl,--as-needed -lgcc_s -lpthread -lm
endif

# It stays where it is after dlclose: threads that look names up may be in it, and forks call it.
$(SHARED): $(BUILD)/libae.o
	$(call need,$(CC),install a C compiler)
	$(CC) -shared -o $@ $< -Wl,-soname,$(SONAME) -Wl,--version-script=$(BUILD)/libae.map \
		-Wl,-Bsymbolic-functions,--gc-sections,-z,relro,-z,now,-z,nodelete $(LDFLAGS) $(SHARED_LIBS)

$(LINKS): $(SHARED)
	ln -sf $(<F) $@

# By one cargo, which compiles for the one while it links the other. A program may be running that is replaced.
$(SERVER) $(CLI) &: $(BIN_SOURCES)
	$(call need,$(CARGO),see https://rustup.rs)
	@mkdir -p $(BUILD)
	$(CARGO) build --locked --release $(PROGRAMS)
	@rm -f $(SERVER) $(CLI)
	cp $(TARGET_DIR)/$(RELEASE)/ae-server $(SERVER)
	cp $(TARGET_DIR)/$(RELEASE)/ae-cli $(CLI)

$(C_LIBRARIES): Cargo.lock scripts/c-libraries.py
	@mkdir -p $(TARGET_DIR)
	scripts/c-libraries.py $(PROGRAMS) > $@

# For the C tests: the library with AddressSanitizer and rustc's checks of its own arithmetic and pointers. The crates
# that it depends on are those of cargo's tests, without. The flag is unstable, but the runtime comes with the stable
# toolchain.
$(BUILD)/libae-asan.a: $(LIB_SOURCES) | $(C_LIBRARIES)
	@mkdir -p $(BUILD)
	RUSTC_BOOTSTRAP=1 $(DEV_CARGO) rustc --locked --package libae $(FEATURES) --lib --crate-type staticlib -- -Zsanitizer=address
	cp $(TARGET_DIR)/$(addsuffix /,$(TARGET))debug/libae.a $@

# The same with ThreadSanitizer, and all the crates that it depends on with it. The standard library is without: mutexes and
# atomics of it are compiled with the library all the same, but not the fence in Arc (NOT_WITH_TSAN in c-tests/run.py).
TSAN_HOST    = $(shell rustc -vV | sed -n 's/^host: //p')
TSAN_RUNTIME = $(firstword $(wildcard $(shell rustc --print target-libdir)/librustc-*_rt.tsan.a))
$(BUILD)/libae-tsan.a: $(LIB_SOURCES) | $(C_LIBRARIES)
	@mkdir -p $(BUILD)
	RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer" $(DEV_CARGO) rustc --locked \
		--package libae $(FEATURES) --lib --crate-type staticlib --target $(TSAN_HOST) --target-dir $(TARGET_DIR)/tsan
	cp $(TARGET_DIR)/tsan/$(TSAN_HOST)/debug/libae.a $@

# For tests of the kqueue back end on Linux: the library with it in place of epoll, and kqueue(2), which programs are
# linked with by these arguments. KQUEUE=-lkqueue takes libkqueue's.
KQUEUE ?= $(CURDIR)/$(BUILD)/kqueue.o -Wl,--wrap=close,--wrap=dup2,--wrap=dup3
$(BUILD)/libae-kqueue.a: $(LIB_SOURCES) | $(C_LIBRARIES)
	@mkdir -p $(BUILD)
	LIBAE_KQUEUE="$(KQUEUE)" $(DEV_CARGO) rustc --locked --package libae $(FEATURES) --lib \
		--crate-type staticlib --target-dir $(TARGET_DIR)/kqueue -- $(CODEGEN) -C panic=abort
	cp $(TARGET_DIR)/kqueue/$(addsuffix /,$(TARGET))debug/libae.a $@

$(BUILD)/kqueue.o: tests/kqueue/kqueue.c tests/kqueue/kqueue.h
	@mkdir -p $(BUILD)
	$(CC) -std=gnu11 -O1 -g -Wall -Wextra -Werror -c -o $@ $<

# --- installation --------------------------------------------------------------------------------------------

# Installed files name LIBDIR and INCLUDEDIR from where they are themselves, so that an installation may be moved. What
# is outside of PREFIX they name as it is, and pkg-config's files /usr, whose folders pkg-config leaves out.
# $(call in-prefix,FOLDER,HOW THEY NAME THE PREFIX)
in-prefix = $(if $(filter $(PREFIX)/%,$1),$(patsubst $(PREFIX)/%,$2/%,$1),$1)
# $(call prefix-from,FOLDER IN LIBDIR)
prefix-from = $(if $(filter $(PREFIX)/%,$(LIBDIR)),$1/$(subst $() ,/,$(patsubst %,..,$(subst /, ,$(patsubst $(PREFIX)/%,%,$(LIBDIR))))),$(PREFIX))
# $(call fill-in,TEMPLATE,PREFIX,HOW IT IS NAMED THEN,INSTALLED FILE)
define fill-in
	sed -e 's|@PREFIX@|$2|' -e 's|@LIBDIR@|$(call in-prefix,$(LIBDIR),$3)|' -e 's|@INCLUDEDIR@|$(call in-prefix,$(INCLUDEDIR),$3)|' \
		-e 's|@VERSION@|$(VERSION)|' -e 's|@MAJOR@|$(MAJOR)|' -e 's|@SHARED@|$(notdir $(SHARED))|' -e 's|@SONAME@|$(SONAME)|' $1 > $4
	chmod 644 $4

endef

# $(call install-stripped,OPTIONS,MODE,FILE,AS): the options say what is stripped away. Whoever packages the files may
# want to keep it.
STRIP_INSTALLED ?= yes
install-stripped = $(INSTALL) -m $2 $3 $4$(if $(filter no,$(STRIP_INSTALLED)),, && $(STRIP) $1 $4)

# Under these names ae-server looks into files.
CHECKS := ae-check-aof ae-check-rdb

install: install-lib install-server install-cli ## install under PREFIX (/usr/local), LIBDIR, BINDIR, INCLUDEDIR, MANDIR; DESTDIR is put before them

install-lib: lib $(if $(ABI),headers) ## install the library alone: also its headers, man pages and what pkg-config and CMake need
	$(INSTALL) -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(LIBDIR)/cmake/libae $(DESTDIR)$(INCLUDEDIR)/libae/inside
	$(INSTALL) -m 644 $(HEADERS) $(DESTDIR)$(INCLUDEDIR)/libae
	for name in ae.h anet.h; do \
		{ echo '#define LIBAE_INSIDE 1'; cat $(HEADER_DIR)/$$name; } > $(DESTDIR)$(INCLUDEDIR)/libae/inside/$$name; \
		chmod 644 $(DESTDIR)$(INCLUDEDIR)/libae/inside/$$name; \
	done
	$(call install-stripped,--strip-unneeded,755,$(SHARED),$(DESTDIR)$(LIBDIR)/$(notdir $(SHARED)))
	$(call install-stripped,--strip-debug,644,$(STATIC),$(DESTDIR)$(LIBDIR)/libae.a)
	$(INSTALL) -m 644 $(CORE) $(INSIDE) $(DESTDIR)$(LIBDIR)
	ln -sf $(notdir $(SHARED)) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(notdir $(SHARED)) $(DESTDIR)$(LIBDIR)/libae.so
	$(foreach name,$(PC_NAMES),$(call fill-in,pkgconfig/$(name).in,$(if $(filter /usr,$(PREFIX)),/usr,$(call prefix-from,$${pcfiledir}/..)),$${prefix},$(DESTDIR)$(LIBDIR)/pkgconfig/$(name)))
	$(foreach name,$(CMAKE_NAMES),$(call fill-in,cmake/$(name).in,$(call prefix-from,$${_libae_dir}/../..),$${_libae_prefix},$(DESTDIR)$(LIBDIR)/cmake/libae/$(name)))
	$(INSTALL) -d $(DESTDIR)$(MANDIR)/man3
	@if command -v python3 > /dev/null; then \
		scripts/man-pages.py $(VERSION) $(DESTDIR)$(MANDIR)/man3 $(HEADERS); \
	else \
		echo "make: without the man pages of the functions: python3 is not installed" >&2; \
	fi

install-server: server ## install ae-server alone, with its man page and the names under which it checks files
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1
	$(call install-stripped,,755,$(SERVER),$(DESTDIR)$(BINDIR)/ae-server)
	for name in $(CHECKS); do \
		ln -sf ae-server $(DESTDIR)$(BINDIR)/$$name; \
		ln -sf ae-server.1 $(DESTDIR)$(MANDIR)/man1/$$name.1; \
	done
	@if command -v python3 > /dev/null; then \
		scripts/server-texts.py $(SERVER) $(VERSION) crates/ae-server/man/ae-server.1; \
	else \
		echo "make: the man page of ae-server is without its options: python3 is not installed" >&2; \
		sed -e '/^@DIRECTIVES@/d' -e 's|@VERSION@|$(VERSION)|' crates/ae-server/man/ae-server.1; \
	fi > $(DESTDIR)$(MANDIR)/man1/ae-server.1
	chmod 644 $(DESTDIR)$(MANDIR)/man1/ae-server.1

install-cli: cli ## install ae-cli alone
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR)
	$(call install-stripped,,755,$(CLI),$(DESTDIR)$(BINDIR)/ae-cli)
	sed 's|@VERSION@|$(VERSION)|' crates/ae-cli/man/ae-cli.1 > $(DESTDIR)$(MANDIR)/man1/ae-cli.1
	chmod 644 $(DESTDIR)$(MANDIR)/man1/ae-cli.1
	$(INSTALL) -m 644 crates/ae-cli/completions/ae-cli.bash $(DESTDIR)$(BASHDIR)/ae-cli
	$(INSTALL) -m 644 crates/ae-cli/completions/_ae-cli $(DESTDIR)$(ZSHDIR)/_ae-cli
	$(INSTALL) -m 644 crates/ae-cli/completions/ae-cli.fish $(DESTDIR)$(FISHDIR)/ae-cli.fish

uninstall: uninstall-lib ## remove what install put there, with the same variables
	rm -f $(foreach name,ae-server ae-cli $(CHECKS),$(DESTDIR)$(BINDIR)/$(name) $(DESTDIR)$(MANDIR)/man1/$(name).1) \
		$(DESTDIR)$(BASHDIR)/ae-cli $(DESTDIR)$(ZSHDIR)/_ae-cli $(DESTDIR)$(FISHDIR)/ae-cli.fish

uninstall-lib: ## remove the library alone
	@if command -v python3 > /dev/null && [ -f $(DESTDIR)$(INCLUDEDIR)/libae/libae.h ]; then \
		names=$$(scripts/man-pages.py --names $(addprefix $(DESTDIR)$(INCLUDEDIR)/libae/,$(HEADER_NAMES))) && \
		cd $(DESTDIR)$(MANDIR)/man3 && rm -f $$names; \
	fi
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,$(notdir $(SHARED)) $(SONAME) libae.so libae.a $(notdir $(CORE) $(INSIDE)) $(addprefix pkgconfig/,$(PC_NAMES)) \
		$(addprefix cmake/libae/,$(CMAKE_NAMES)))
	rm -f $(addprefix $(DESTDIR)$(INCLUDEDIR)/libae/,$(HEADER_NAMES) inside/ae.h inside/anet.h)
	for dir in $(DESTDIR)$(LIBDIR)/cmake/libae $(DESTDIR)$(INCLUDEDIR)/libae/inside $(DESTDIR)$(INCLUDEDIR)/libae; do \
		if [ -d $$dir ]; then rmdir $$dir; fi; \
	done

deb: all ## build Debian packages into build/deb from what is built, and look at them with lintian
	scripts/deb.sh

clean: ## remove build/ and cargo's output
	rm -rf $(BUILD)
	$(CARGO) clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r target text; do printf '  make %-14s %s\n' "$$target" "$$text"; done
	@echo '  Variables: ABI=PROFILE ($(shell sed -n '2,$$s/,.*//p' src/abi/facts/profiles.csv)), PREFIX=$(PREFIX), DESTDIR, LIBDIR, BINDIR, INCLUDEDIR, MANDIR, CARGO_TARGET_DIR, TLS=no, TARGET=TRIPLE'
