from __future__ import annotations

from pathlib import Path

from cryptography.fernet import Fernet

from deploy import secrets


def test_made_once_and_kept_for_the_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    first = secrets.keep(file, {})
    assert secrets.keep(file, {}) == first
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(set(first.values())) == 3 and all(len(value) >= 32 for value in first.values())
    Fernet(first["ENCRYPTION_KEY"].encode())


def test_what_the_operator_gives_is_not_written_down(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    found = secrets.keep(file, {"SECRET_KEY": "the operator's own"})
    assert found["SECRET_KEY"] == "the operator's own"
    assert "operator" not in file.read_text()
