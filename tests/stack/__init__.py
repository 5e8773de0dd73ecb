"""The real thing, for tests: a stack started by `bin/up`, docker engines, clients and content to push."""
