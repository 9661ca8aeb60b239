# Builds a Redis or Valkey fork on libae without changing a file of it. In the fork's src/:
#
#   make -f .../examples/forks/overlay.mk PROFILE=redis-7.0
#
# and whatever else its own makefile is given. PROFILE is what libae-abi-probe said. docs/forks.md explains it.

PROFILE ?= $(error set PROFILE: scripts/libae-abi-probe names it)

# This tree of libae, and what `make ABI=$(PROFILE) lib` has built in it; an installed libae has both elsewhere.
LIBAE         := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/../..)
LIBAE_LIB     := $(LIBAE)/build/$(PROFILE)/libae.a
# For cli and benchmark, which have no connections. It lies beside the other.
LIBAE_CORE    := $(dir $(LIBAE_LIB))libae-core.a
LIBAE_INCLUDE := $(LIBAE)/include
# A fork that has changed the functions which the glue file calls brings its own.
GLUE          := $(LIBAE)/examples/forks/$(PROFILE).c

# Of the fork's own makefile: a variable's value, with what stands on this make's command line.
print_list = printf 'include Makefile\nlibae-print-list: ; @echo $$($(1))\n' | \
	$(MAKE) -s --no-print-directory -f - $(MAKEOVERRIDES) libae-print-list 2> /dev/null

REPLACED := ae.o anet.o connection.o
ifneq ($(filter-out redis-6.2 redis-7.0,$(PROFILE)),)
REPLACED += socket.o unix.o
endif
# In a build with TLS libae's comes in the place of upstream's, which LIBAE_TLS=no keeps. Without TLS, and with TLS as a
# module, tls.o says that there is none, and stays.
LIBAE_TLS ?= yes
ifeq ($(LIBAE_TLS) $(shell $(call print_list,BUILD_TLS)),yes yes)
REPLACED += tls.o
# Sentinel's links over TLS, without hiredis's file for that and OpenSSL.
SENTINEL_GLUE := libae-hiredis-tls.o
endif

# The fork's own lists, less what libae replaces: set ahead of its makefile, since rules read their prerequisites once.
define without_replaced
libae_objects := $$(shell $$(call print_list,$(1)))
ifneq ($$(libae_objects),)
override $(1) := $$(filter-out $$(REPLACED),$$(libae_objects)) $(2)
endif
endef
# REDIS_SERVER_OBJ and so on; ENGINE_ in Valkey, and other forks have names of their own.
PREFIXES := $(shell sed -n 's/^\([A-Z]*\)_SERVER_OBJ *:*=.*/\1/p' Makefile)
$(foreach prefix,$(PREFIXES),$(eval $(call without_replaced,$(prefix)_SERVER_OBJ,libae-glue.o $(SENTINEL_GLUE))))
$(foreach prefix,$(PREFIXES),$(foreach list,CLI BENCHMARK,$(eval $(call without_replaced,$(prefix)_$(list)_OBJ,))))

include Makefile

# Behind the objects, in front of what it needs itself. LIBAE_LDFLAGS is for the linker alone: the fork's own LDFLAGS
# make everything anew when they change.
LIBAE_LINKED    = $(LIBAE_LIB)
LIBAE_FORK_LIBS := $(FINAL_LIBS)
FINAL_LIBS      = $(LIBAE_LINKED) $(LIBAE_FORK_LIBS) -lpthread $(LIBAE_LDFLAGS)

# A new libae is linked anew.
SERVERS := $(sort $(foreach prefix,$(PREFIXES),$($(prefix)_SERVER_NAME)) $(SERVER_NAME))
TOOLS   := $(sort $(foreach prefix,$(PREFIXES),$($(prefix)_CLI_NAME) $($(prefix)_BENCHMARK_NAME)))
$(SERVERS): $(LIBAE_LIB)
$(TOOLS): $(LIBAE_CORE)
$(TOOLS): LIBAE_LINKED = $(LIBAE_CORE)

# The server no longer needs OpenSSL; cli and benchmark do.
ifneq ($(SENTINEL_GLUE),)
$(SERVERS): FINAL_LIBS := $(filter-out %_ssl.a %_tls.a -lssl -lcrypto,$(FINAL_LIBS))
endif

# The fork's headers come first: in front of libae.h's neighbours, which have the same names.
compile_glue = $(or $(SERVER_CC),$($(firstword $(PREFIXES))_CC)) -I. -idirafter $(LIBAE_INCLUDE) -MMD -o $@ -c $<
libae-glue.o: $(GLUE) .make-prerequisites
	$(compile_glue)
libae-hiredis-tls.o: $(LIBAE)/examples/forks/hiredis_tls.c .make-prerequisites
	$(compile_glue)
