# Faultline: `make help` lists what there is to run.

BUILD      ?= build
SUBMISSION ?= exercises
REPORT     ?= $(BUILD)/report
STEP       ?=
CASE       ?=
JOBS       ?=
ISOLATION  ?=
VALGRIND   ?=
FORMAT     ?= text
DEBUGGER   ?= gdb
FAULT      ?=
HOST       ?=
PORT       ?=
FORMATS    ?=
COURSE     ?=
PEERS      ?=
SECONDS    ?=
SEED       ?=
PLANS      ?=
INTERPOSER ?= $(BUILD)/interposer.so
REPEAT     ?=
LOAD       ?=
UNDER      ?=
QUICK      ?=

CC       ?= cc
VERSION  := 0.1.0
WARNINGS  = -Wall -Wextra -Wpedantic -Wshadow
# The harness's own; a submission is compiled with the flags in build.c.
FLAGS     = -std=gnu17 -O2 -g $(WARNINGS) $(CFLAGS)
# Pedantry does not know dlsym(3) and glibc's transparent unions.
SO_FLAGS  = -fPIC -fno-omit-frame-pointer -Wno-pedantic
LIBRARIES = cmocka libfiu jansson libdw libelf expat libxml-2.0 libseccomp
# Asked when a recipe runs: before that they may not be installed.
LIBS      = $(shell pkg-config --libs cmocka jansson libdw libelf expat libxml-2.0 libseccomp) -lutil -lm -pthread
FIU_LIBS  = $(shell pkg-config --libs libfiu) -ldl -pthread
DEFINES   = -DFAULTLINE_VERSION='"$(VERSION)"' \
            $(shell pkg-config --cflags $(LIBRARIES))

Q := $(if $(V),,@)
say = $(if $(V),,@echo "  $(1)")

MAINS   := $(addprefix harness/,grade.c watch.c play_by_hand.c torture.c)
CORE    := $(filter-out $(MAINS),$(wildcard harness/*.c))
REPORTS := $(wildcard harness/report/*.c)
STEPS   := $(sort $(wildcard harness/steps/*.c))
PRELOAD := $(wildcard harness/interposer/*.c) harness/calls.c

GRADE_OPTIONS = --interposer $(BUILD)/interposer.so --submission "$$SUBMISSION" \
    --isolation "$(ISOLATION)" --valgrind "$(VALGRIND)"

# A folder's name may hold any character; the shell expands it.
export SUBMISSION

objects = $(patsubst %.c,$(BUILD)/$(1)/%.o,$(2))
CORE_O    := $(call objects,o,$(CORE))
GRADE_O   := $(CORE_O) $(call objects,o,$(REPORTS) harness/grade.c $(STEPS))
PRELOAD_O := $(call objects,pic,$(PRELOAD))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
# Unless who calls us has said how many, which here only a shell can see.
ifeq ($(filter -j% --jobserver%,$(shell echo "$$MAKEFLAGS")),)
MAKEFLAGS += -j$(shell nproc)
endif

## ---- Students

.PHONY: grade
grade: build ## grade what is in exercises/ [STEP="forked reaper"] [V=1]
	@[ -z "$(FAULT)$(PEERS)" ] || \
	    { echo "grade: FAULT= and PEERS= are for make replay" >&2; exit 2; }
	@$(BUILD)/grade $(GRADE_OPTIONS) --report "$(REPORT)" --step "$(STEP)" \
	    --case "$(CASE)" --jobs "$(JOBS)" --formats "$(FORMATS)" \
	    --course "$(COURSE)" $(if $(V),--verbose)

.PHONY: watch
watch: build ## grade again at each save, a step at a time [STEP=client]
	@$(BUILD)/watch --step "$(STEP)" --submission "$$SUBMISSION" -- \
	    $(BUILD)/grade $(GRADE_OPTIONS) --report "$(BUILD)/watch-report" \
	    --formats none

.PHONY: replay
replay: build ## tell one case: STEP=forked CASE=listens, or a plan: FAULT=...
	@$(BUILD)/grade $(GRADE_OPTIONS) --report "$(BUILD)/replay" \
	    --step "$(STEP)" --case "$(CASE)" --fault "$(FAULT)" \
	    --peers "$(PEERS)" --replay "$(FORMAT)"

.PHONY: sweep
sweep: build ## only the cases that make every call fail in every way [STEP=forked]
	@$(BUILD)/grade $(GRADE_OPTIONS) --report "$(BUILD)/sweep-report" \
	    --step "$(STEP)" --case '*_every_*_failure' --jobs "$(JOBS)" \
	    --formats none \
	    $(if $(V),--verbose)

.PHONY: torture
torture: build ## failures in pairs, at random, and under valgrind: STEP=forked [SECONDS=60] [SEED=1] [VALGRIND=no]
	@$(BUILD)/torture --step "$(STEP)" --seconds "$(SECONDS)" \
	    --valgrind "$(VALGRIND)" \
	    --plans "$(PLANS)" --seed "$(SEED)" --submission "$$SUBMISSION" \
	    --report $(BUILD)/torture-report --interposer $(BUILD)/interposer.so \
	    --isolation "$(ISOLATION)"

.PHONY: play
play: build ## play with a server by hand: STEP=forked PORT=7777 [FAULT=...]
	@$(BUILD)/play_by_hand --step "$(STEP)" --host "$(HOST)" \
	    --port "$(PORT)" --fault "$(FAULT)" --submission "$$SUBMISSION" \
	    --build $(BUILD)/by-hand --interposer $(BUILD)/interposer.so

.PHONY: debug
debug: build ## the same with gdb attached where the failure is injected
	@command -v $(firstword $(DEBUGGER)) >/dev/null || \
	    { echo "debug: $(firstword $(DEBUGGER)) is missing here" >&2; exit 2; }
	@$(BUILD)/grade $(GRADE_OPTIONS) --report "$(BUILD)/replay" \
	    --step "$(STEP)" --case "$(CASE)" --fault "$(FAULT)" \
	    --peers "$(PEERS)" --debug "$(DEBUGGER)"

.PHONY: list
list: build ## list every step's cases with their points [COURSE=FILE]
	@$(BUILD)/grade --list --course "$(COURSE)"

.PHONY: help
help: ## show this list
	@awk -f harness/help.awk $(MAKEFILE_LIST)

.PHONY: clean
clean: ## remove what was built
	rm -rf "$(BUILD)"

# What only those have who teach with the kit or work on it.
-include instructor/instructor.mk tests/makers.mk

# ---- How things are built

.PHONY: build
build: $(BUILD)/grade $(BUILD)/watch $(BUILD)/play_by_hand $(BUILD)/torture \
    $(BUILD)/interposer.so $(BUILD)/valgrind.supp

.PHONY: needs
needs:
	@CC="$(CC)" VALGRIND="$(VALGRIND)" harness/needs.sh grade

$(BUILD)/grade: $(GRADE_O)
	$(call say,LD $@)
	$(Q)$(CC) $(FLAGS) -o $@ $^ $(LIBS)

$(BUILD)/watch $(BUILD)/play_by_hand $(BUILD)/torture: $(BUILD)/%: \
    $(filter-out %/grade.o,$(GRADE_O)) $(BUILD)/o/harness/%.o
	$(call say,LD $@)
	$(Q)$(CC) $(FLAGS) -o $@ $^ $(LIBS)

# What it calls of its own stays its own, though a submission has another poll.
$(BUILD)/interposer.so: $(PRELOAD_O) harness/interposer/exports.map
	$(call say,LD $@)
	$(Q)$(CC) $(FLAGS) -shared -o $@ $(PRELOAD_O) \
	    -Wl,-Bsymbolic-functions \
	    -Wl,--version-script=harness/interposer/exports.map $(FIU_LIBS)

# Looked for beside the interposer.
$(BUILD)/valgrind.supp: harness/valgrind.supp
	@mkdir -p $(@D)
	@cp $< $@

$(BUILD)/o/%.o: %.c $(BUILD)/flags | needs
	$(call say,CC $<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(FLAGS) $(DEFINES) -MMD -MP -c -o $@ $<

$(BUILD)/pic/%.o: %.c $(BUILD)/flags | needs
	$(call say,CC $<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(FLAGS) $(SO_FLAGS) $(DEFINES) -MMD -MP -c -o $@ $<

# Rebuilds everything when the flags change.
$(BUILD)/flags: force
	@mkdir -p $(@D)
	@echo '$(CC) $(FLAGS) $(VERSION)' | cmp -s - $@ || \
	    echo '$(CC) $(FLAGS) $(VERSION)' >$@

.PHONY: force
force:

-include $(GRADE_O:.o=.d) $(MAINS:%.c=$(BUILD)/o/%.d) $(PRELOAD_O:.o=.d)
