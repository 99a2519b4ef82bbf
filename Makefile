# pg_remedy is built with PGXS, in C++20 and with the headers of Boost.Container. `make help` lists the goals.
#
# Each goal runs in two steps. The first must work on a bare machine, before pg_config exists: it installs
# what is missing. The second (READY=1) has PGXS at hand.

.DEFAULT_GOAL := all

# One folder of src/ per capability. A room may use src/server and the rooms to its left, never to its right.
ROOMS = observe findings repetition plans scans schedule what_if index_advice index_upkeep json_columns jsonb_migration rollup

EXTENSION  = pg_remedy
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" pg_remedy.control)
MODULE_big = $(EXTENSION)

SOURCES    = src/pg_remedy.cpp $(wildcard $(patsubst %,src/%/*.cpp,server $(ROOMS)))
OBJS       = $(SOURCES:.cpp=.o)
# A room's first file, then its others in the order of their names.
room_sql   = src/$(room)/$(room).sql $(filter-out src/$(room)/$(room).sql,$(sort $(wildcard src/$(room)/*.sql)))
SQL_PARTS  = src/install_header.sql $(wildcard src/server/*.sql) $(foreach room,$(ROOMS),$(room_sql)) \
             src/status.sql
DATA       = $(wildcard src/upgrade/*.sql)
DATA_built = $(EXTENSION)--$(EXTVERSION).sql

PG_CONFIG ?= pg_config
export PG_CONFIG

ifndef READY
# ---- Step one: what is needed -------------------------------------------------------------------------

.PHONY: all install uninstall clean test unit fuzz check-core demo bench matrix format help
.NOTPARALLEL:

STEP_TWO = $(MAKE) --no-print-directory $(if $(V),,--silent) READY=1

all:
	@test/tools/packages build
	+@$(STEP_TWO) all

install uninstall:
	+@$(STEP_TWO) $@

clean:
	@rm -f $(OBJS) $(OBJS:.o=.d) $(MODULE_big).so $(EXTENSION)--*.sql .build-flags

test:
	@test/tools/packages test
	@test/run $(SUITES)

unit:
	@test/tools/packages build
	@test/run unit

fuzz:
	@test/tools/packages fuzz
	@test/fuzz/run $(RUNS)

check-core:
	@test/tools/packages core
	@test/check-core

demo:
	@test/tools/packages demo
	@demo/run

bench:
	@test/tools/packages bench
	@set -e; for bench in $(or $(BENCHES),instructions throughput million crowd); do test/bench/$$bench; done

matrix:
	@test/tools/packages matrix
	@test/matrix $(VERSIONS)

format:
	@clang-format -i $(wildcard src/*.cpp src/*/*.[ch]pp test/unit/*.[ch]pp test/fuzz/*.cpp test/bench/*.cpp)

help:
	@echo 'make             build the extension (installs compilers and server headers that are missing)'
	@echo 'make install     put it into the server that PG_CONFIG names'
	@echo 'make demo        an ORM application with the N+1 problem, on a private server'
	@echo 'make test        all test suites, on private servers; SUITES="unit regress/observe" picks some'
	@echo 'make unit        only the tests that need no server'
	@echo 'make fuzz        random sessions against the N+1 rule (libFuzzer); RUNS=10000000 plays more'
	@echo "make check-core  PostgreSQL's own regression suite with pg_remedy preloaded and everything on"
	@echo 'make bench       what it costs, measured on private servers; BENCHES=instructions picks one'
	@echo 'make matrix      both on PostgreSQL 15, 17 and 18 in throw-away systems; VERSIONS=17 picks one'
	@echo 'make format      clang-format over all C++'
	@echo 'make clean       remove what was built'
	@echo
	@echo 'PG_CONFIG=path   the server to build for      WERROR=1   warnings are errors'
	@echo 'V=1              show the commands           SANITIZE=undefined   find undefined behaviour in the tests'

else
# ---- Step two: PGXS -----------------------------------------------------------------------------------

PG_CPPFLAGS = -Isrc -DREMEDY_VERSION='"$(EXTVERSION)"' $(BOOST_CPPFLAGS)
# The server is built without a sanitizer: its run-time library comes with ours. What it finds ends the process.
SANITIZER   = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)
PG_CXXFLAGS = -std=gnu++20 -fvisibility=hidden -flto=auto -Wall -Wextra -Wno-unused-parameter -Wno-register \
              -Wno-missing-field-initializers $(if $(WERROR),-Werror) -MMD -MP $(SANITIZER)
SHLIB_LINK  = -lstdc++ -flto=auto -O2 $(SANITIZER)

PGXS := $(shell $(PG_CONFIG) --pgxs)
ifeq ($(wildcard $(PGXS)),)
$(error $(PG_CONFIG) names no server to build for: run "make" first, or set PG_CONFIG)
endif
# Our code is never inlined into JIT code, so no bitcode is made, and clang is not needed.
override with_llvm = no
include $(PGXS)

# Objects that were built for another server or with other flags are built again.
BUILD_FLAGS := $(strip $(VERSION) $(CXX) $(filter-out -Werror,$(CXXFLAGS)) $(CPPFLAGS))
ifneq ($(BUILD_FLAGS),$(file <.build-flags))
$(file >.build-flags,$(BUILD_FLAGS))
endif

$(OBJS): %.o: %.cpp .build-flags
	@echo 'c++ $<'
	$(COMPILE.cc) -o $@ $<

$(DATA_built): $(SQL_PARTS) pg_remedy.control Makefile
	cat $(SQL_PARTS) > $@

-include $(OBJS:.o=.d)
endif
