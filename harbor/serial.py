"""How values are kept in Redis: as JSON, so that whoever can write there cannot have us run what is written."""

from __future__ import annotations

import json
from typing import Any


class JsonSerializer:
    """For Django's Redis cache, whose own serializer is pickle. Whole numbers stay bare, so that Redis can count."""

    def dumps(self, value: Any) -> bytes | int:
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, content: bytes) -> Any:
        """The value; None, as if there were none, for what is no JSON."""
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            return None
