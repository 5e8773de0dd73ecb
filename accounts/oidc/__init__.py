"""Signing in by a provider of OpenID Connect. `provider` speaks to it, `flow` is one login by a browser."""
