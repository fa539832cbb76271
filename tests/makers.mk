# makers.mk - the part of the Makefile for those who work on the kit.

WITHOUT  ?=
UNIT     := $(filter-out $(WITHOUT),$(wildcard tests/unit/test_*.c))
UNIT_BIN := $(UNIT:%.c=$(BUILD)/%)
UNIT_RUN := $(UNIT:%.c=run-%)
LIBRARY_O := $(filter-out %/grade.o,$(GRADE_O))
ALL_C     = $(shell find exercises solutions harness tests -name '*.[ch]')
LINT_FLAGS = -std=gnu17 -D_GNU_SOURCE -DFAULTLINE_VERSION=0 \
    $(shell pkg-config --cflags libxml-2.0)
# So many states of each function are followed; of itself clang-tidy follows
# 225000, which takes four times as long. NODES=225000 before a release.
NODES     ?= 20000
ANALYZER   = -Xclang -analyzer-config -Xclang max-nodes=$(NODES)
LINT_C    = $(shell find solutions harness tests/unit tests/bench -name '*.c' \
    -not -path '*/programs/*')

TIDY     := $(patsubst %,$(BUILD)/tidy/%.ok,$(basename $(MAINS) $(CORE) \
    $(REPORTS) $(STEPS) $(PRELOAD) $(wildcard solutions/*.c)))

## ---- Makers

.PHONY: check
check: ## pass the kit's own tests (installs what they need)
	@CC="$(CC)" harness/needs.sh grade class check
	@tests/check.sh "$(BUILD)"

EXAM_FLAGS = --grade $(BUILD)/grade --interposer $(BUILD)/interposer.so \
    --work $(BUILD)/exam $(if $(JOBS),--jobs $(JOBS)) \
    $(if $(LOAD),--load $(LOAD)) $(if $(STEP),--step $(STEP)) \
    $(if $(UNDER),--under "$(UNDER)") $(if $(V),--verbose)

.PHONY: exam
exam: build ## examine the grader by every mutant, variant and attack [QUICK=1] [REPEAT=50 LOAD=2 UNDER="nice -n 19" VALGRIND=no]
	@tests/exam.py $(EXAM_FLAGS) $(if $(REPEAT),--repeat $(REPEAT)) \
	    $(if $(QUICK),--quick) $(if $(VALGRIND),--valgrind $(VALGRIND))
ifeq ($(QUICK)$(REPEAT)$(UNDER)$(VALGRIND),)
	@$(MAKE) -s exam-generated exam-rows
	$(if $(STEP),,@$(HOSTILE))
endif

# Side by side: each of them waits, too.
.PHONY: exam-generated exam-rows
exam-generated:
	@$(GENERATED) --quick
exam-rows:
	@$(ROWS)

GENERATED = tests/exam_generated.py $(EXAM_FLAGS)

.PHONY: generated
generated: build ## the same by wrong programs made of the solutions, one edit each [STEP=NAMES] [QUICK=1]
	@$(GENERATED) $(if $(QUICK),--quick)

ROWS = tests/rows.py --grade $(BUILD)/grade \
    --interposer $(BUILD)/interposer.so $(if $(STEP),--step $(STEP))

HOSTILE = tests/hostile.py --grade $(BUILD)/grade \
    --interposer $(BUILD)/interposer.so $(if $(V),--verbose)

.PHONY: hostile
hostile: build ## have every hostile submission attack the grader, in each isolation
	@$(HOSTILE)

.PHONY: golden
golden: build ## rewrite tests/golden/ from what the reports say now; review it
	@tests/words.py --grade $(BUILD)/grade \
	    --interposer $(BUILD)/interposer.so --rewrite

.PHONY: replays
replays: build ## replay a failed case of each obligation 20 times
	@tests/replays.py --grade $(BUILD)/grade \
	    --interposer $(BUILD)/interposer.so $(if $(STEP),--step $(STEP))

.PHONY: bench
bench: bench-programs ## measure a case beside strace and others [RUNS=300 RESULTS=FILE]
	@harness/needs.sh bench
	@tests/bench/bench.sh $(abspath $(BUILD)) $(RUNS) \
	    $(if $(RESULTS),| tee "$(RESULTS)")

.PHONY: bench-programs
bench-programs: build $(BUILD)/tests/bench/bench $(BUILD)/tests/bench/server \
    $(BUILD)/tests/bench/sweeps

$(BUILD)/tests/bench/bench: tests/bench/bench.c tests/bench/server.c \
    $(LIBRARY_O) $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(FLAGS) $(DEFINES) -o $@ $(filter %.c %.o,$^) $(LIBS)

$(BUILD)/tests/bench/sweeps: tests/bench/sweeps.c $(LIBRARY_O) $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(FLAGS) $(DEFINES) -o $@ $(filter %.c %.o,$^) $(LIBS)

$(BUILD)/tests/bench/server: tests/bench/server.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(FLAGS) -DBENCH_PROGRAM -o $@ $<

.PHONY: unit
unit: build $(UNIT_RUN) ## run the unit tests of the harness

.PHONY: format
format: ## format every C file
	clang-format -i $(ALL_C)

.PHONY: lint
lint: $(TIDY) ## check format, clang-tidy and cppcheck
	$(Q)clang-format --dry-run -Werror $(ALL_C)
	@mkdir -p $(BUILD)/cppcheck
	$(Q)cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr \
	    --enable=warning,performance,portability \
	    --cppcheck-build-dir=$(BUILD)/cppcheck \
	    --suppressions-list=tests/cppcheck.txt $(LINT_C)

define tidy
	$(call say,TIDY $(@:$(BUILD)/tidy/%.ok=%.c))
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet $(@:$(BUILD)/tidy/%.ok=%.c) -- \
	    $(LINT_FLAGS) $(ANALYZER) 2>/dev/null
	@touch $@
endef

# Again only where a file, or a header that it includes, has changed.
$(BUILD)/tidy/harness/interposer/%.ok: $(BUILD)/pic/harness/interposer/%.o .clang-tidy
	$(tidy)
$(BUILD)/tidy/harness/%.ok: $(BUILD)/o/harness/%.o .clang-tidy
	$(tidy)
$(BUILD)/tidy/solutions/%.ok: solutions/%.c solutions/net.h .clang-tidy
	$(tidy)

$(BUILD)/tests/unit/%: tests/unit/%.c $(LIBRARY_O) $(BUILD)/flags
	$(call say,LD $@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(FLAGS) $(DEFINES) -MMD -MP -o $@ $< $(LIBRARY_O) $(LIBS)

# The kit's own output is shown only where a test fails.
.PHONY: $(UNIT_RUN)
$(UNIT_RUN): run-%: $(BUILD)/%
	@FAULTLINE_INTERPOSER=$(abspath $(INTERPOSER)) \
	    $(BUILD)/$* >$(BUILD)/$*.log 2>&1 \
	    || { cat $(BUILD)/$*.log; echo "FAILED $*"; exit 1; }
	@echo "ok $* ($$(awk '/^\[  PASSED  \]/ { n += $$4 } END { print n }' \
	    $(BUILD)/$*.log) tests)"
