"""Runs a command with the secrets and addresses of the stack in its environment, as `bin/up` would: for containers."""

from __future__ import annotations

import os
import sys

from harbor.environment import load_files

if __name__ == "__main__":
    for key in [key for key, value in os.environ.items() if not value]:
        del os.environ[key]  # compose hands on every key it names, empty where the operator set none
    load_files()
    os.execvp(sys.argv[1], sys.argv[1:])
