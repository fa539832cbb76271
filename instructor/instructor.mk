# instructor.mk - the part of the Makefile for those who teach with the kit.

## ---- Instructors

.PHONY: handout
handout: ## pack what students get: build/faultline-handout.tar.gz
	@instructor/handout.sh "$(BUILD)/faultline-handout.tar.gz"
