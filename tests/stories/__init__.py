"""Whole stories, told by a docker engine, skopeo and plain HTTP against a stack that `bin/up` started."""
