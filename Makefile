# `make run` starts Daybook with a demo household, `make test` checks everything.

.PHONY: help run test

help:
	@echo 'make run    build Daybook and start it with a demo household; ARGS="--data DIR" and the like go to it'
	@echo 'make test   install what is missing for the checks, and run all of them'

run:
	@scripts/toolchain
	cargo run --package daybook -- serve --demo $(ARGS)

test:
	@scripts/test
