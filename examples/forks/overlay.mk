# Builds a Redis or Valkey fork on libae without changing a file of it. In the fork's src/:
#
#   make -f .../examples/forks/overlay.mk PROFILE=redis-7.0
#
# and whatever else its own makefile is given. PROFILE is what libae-abi-probe said. docs/forks.md explains it.

PROFILE ?= $(error set PROFILE: scripts/libae-abi-probe names it)

# This tree of libae, and what `make ABI=$(PROFILE) lib` has built in it; an installed libae has both elsewhere.
LIBAE         := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/../..)
LIBAE_LIB     := $(LIBAE)/build/$(PROFILE)/libae.a
LIBAE_INCLUDE := $(LIBAE)/include
# A fork that has changed the functions which the glue file calls brings its own.
GLUE          := $(LIBAE)/examples/forks/$(PROFILE).c

REPLACED := ae.o anet.o connection.o
ifneq ($(filter-out redis-6.2 redis-7.0,$(PROFILE)),)
REPLACED += socket.o unix.o
endif

# The fork's own lists, less what libae replaces: asked of its makefile, and set ahead of it, since rules read their
# prerequisites once.
print_list = printf 'include Makefile\nlibae-print-list: ; @echo $$($(1))\n' | \
	$(MAKE) -s --no-print-directory -f - $(MAKEOVERRIDES) libae-print-list 2> /dev/null
define without_replaced
libae_objects := $$(shell $$(call print_list,$(1)))
ifneq ($$(libae_objects),)
override $(1) := $$(filter-out $$(REPLACED),$$(libae_objects)) $(2)
endif
endef
$(foreach prefix,REDIS ENGINE,$(eval $(call without_replaced,$(prefix)_SERVER_OBJ,libae-glue.o)))
$(foreach prefix,REDIS ENGINE,$(foreach list,CLI BENCHMARK,$(eval $(call without_replaced,$(prefix)_$(list)_OBJ,))))

include Makefile

# Behind the objects, in front of what it needs itself.
FINAL_LIBS := $(LIBAE_LIB) $(FINAL_LIBS) -lpthread

# A new libae is linked anew.
$(REDIS_SERVER_NAME) $(REDIS_CLI_NAME) $(REDIS_BENCHMARK_NAME): $(LIBAE_LIB)
$(SERVER_NAME) $(ENGINE_CLI_NAME) $(ENGINE_BENCHMARK_NAME): $(LIBAE_LIB)

# The fork's headers come first: in front of libae.h's neighbours, which have the same names.
libae-glue.o: $(GLUE) .make-prerequisites
	$(or $(REDIS_CC),$(SERVER_CC)) -I. -idirafter $(LIBAE_INCLUDE) -MMD -o $@ -c $<
