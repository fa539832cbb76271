# instructor.mk - the part of the Makefile for those who teach with the kit.

## ---- Instructors

.PHONY: handout
handout: ## pack what students get: build/faultline-handout.tar.gz
	@instructor/pack.sh handout "$(BUILD)"

.PHONY: autograder
autograder: $(if $(COURSE),build) ## pack a grader: TARGET=gradescope|classroom50|github|gitlab|autolab
	@instructor/pack.sh "$(TARGET)" "$(BUILD)"

.PHONY: class
class: build ## grade each folder in SUBMISSIONS=DIR [JOBS=2] [HOSTS=file]
	@harness/needs.sh class $(if $(HOSTS),hosts)
	@instructor/class.sh "$(BUILD)"
