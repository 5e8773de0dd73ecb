"""Keys as files: made once, published before they sign, kept while a token of theirs may live."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from cryptography import x509
from django.core.management import CommandError, call_command

from accounts.actors import ANONYMOUS
from registry.auth import OwnTokens
from registry.client import Registry
from registry.errors import Unauthorized
from registry.http import session_to
from tests.registry.server import RegistryServer
from tokens import signing, upstream
from tokens.keys import LONGEST_LIFETIME, TIME_FORMAT, KeyFolder, KeysMissing, key_id
from tokens.upstream import accepts


@pytest.fixture
def folder(tmp_path: Path, settings: object) -> KeyFolder:
    settings.TOKEN_KEYS = tmp_path / "keys"  # type: ignore[attr-defined]
    return signing.key_folder()


@pytest.fixture
def server(folder: KeyFolder, settings: object) -> Iterator[RegistryServer]:
    folder.prepare()
    server = RegistryServer(folder.path)
    settings.REGISTRY_URL = server.url  # type: ignore[attr-defined]
    server.start()
    yield server
    server.remove()


def test_without_keys_nothing_is_signed(folder: KeyFolder) -> None:
    with pytest.raises(KeysMissing):
        signing.mint(ANONYMOUS, [], 60)


@pytest.mark.parametrize("content", ["", "nonsense", "another curve"])
def test_a_file_that_is_no_key_stops_everything(folder: KeyFolder, content: str) -> None:
    folder.prepare()
    file = folder.path / "20200101T000000.000000Z.pem"
    file.write_text(content)
    if content == "another curve":
        command = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", str(file)]
        subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(KeysMissing, match=file.name):
        signing.mint(ANONYMOUS, [], 60)


def test_init_makes_what_is_missing_and_changes_nothing_else(folder: KeyFolder) -> None:
    call_command("init_token_keys", stdout=StringIO())
    before = {file.name: file.read_bytes() for file in folder.path.iterdir()}
    call_command("init_token_keys", stdout=StringIO())
    assert {file.name: file.read_bytes() for file in folder.path.iterdir()} == before
    (folder.path / "jwks.json").unlink()
    (folder.path / "rootcert.pem").unlink()
    assert len(folder.prepare().keys) == 2
    assert json.loads((folder.path / "jwks.json").read_text()) == json.loads(before["jwks.json"])


def test_private_keys_are_private(folder: KeyFolder) -> None:
    folder.prepare()
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    for file in folder.path.glob("*Z.pem"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    public = (folder.path / "jwks.json").read_text() + (folder.path / "rootcert.pem").read_text()
    assert "PRIVATE" not in public and '"d"' not in public


def test_bundle_and_key_set_hold_every_key(folder: KeyFolder) -> None:
    folder.prepare()
    ring = folder.rotate()
    kids = {key.kid for key in ring.keys}
    certificates = x509.load_pem_x509_certificates((folder.path / "rootcert.pem").read_bytes())
    assert {key_id(certificate.public_key()) for certificate in certificates} == kids  # type: ignore[arg-type]
    assert {key["kid"] for key in json.loads((folder.path / "jwks.json").read_text())["keys"]} == kids
    assert len(kids) == 3


def test_key_id_is_libtrust_s(folder: KeyFolder) -> None:
    """Twelve groups of four characters of base32, and what openssl makes of the same key."""
    key = folder.prepare().signing
    assert len(key.kid.split(":")) == 12 and all(len(group) == 4 for group in key.kid.split(":"))
    der = subprocess.run(
        ["openssl", "ec", "-in", str(folder.path / key.file_name), "-pubout", "-outform", "DER"],
        capture_output=True,
        check=True,
    ).stdout
    digest = subprocess.run(["openssl", "dgst", "-sha256", "-binary"], input=der, capture_output=True, check=True)
    expected = (
        subprocess.run(["base32"], input=digest.stdout[:30], capture_output=True, check=True).stdout.decode().strip()
    )
    assert key.kid.replace(":", "") == expected


def test_rotation_signs_with_the_key_that_was_published_before(folder: KeyFolder) -> None:
    before = folder.prepare()
    old = signing.mint(ANONYMOUS, [], 60)
    after = folder.rotate()
    assert after.signing.kid == before.next.kid and after.next.kid not in before.by_kid
    new = signing.mint(ANONYMOUS, [], 60)
    assert signing.verify(old).name == signing.verify(new).name == "anonymous"


def test_other_processes_notice(folder: KeyFolder) -> None:
    folder.prepare()
    other = KeyFolder(folder.path)
    before = other.ring()
    folder.rotate()
    assert other.ring() is before, "looks again only after some seconds"
    other._look_again = 0.0
    assert other.ring().signing.kid == before.next.kid


def test_a_token_signed_by_a_process_that_noticed_first_is_known(folder: KeyFolder) -> None:
    folder.prepare()
    other = KeyFolder(folder.path)
    other.ring()
    folder.rotate()
    signing_now = folder.rotate().signing.kid
    known = other.find(signing_now)
    assert known is not None and known.kid == signing_now
    before = other.ring()
    assert other.find("a stranger's") is None
    assert other.ring() is before, "read again for what is nobody's"


def test_keys_go_when_no_token_of_theirs_can_live(folder: KeyFolder) -> None:
    folder.prepare()
    first, second = folder.read().keys
    folder.rotate()
    _age(folder, LONGEST_LIFETIME - timedelta(minutes=5))
    assert len(folder.rotate().keys) == 4, "the first key's last token may be alive"
    _age(folder, timedelta(hours=1))
    remaining = folder.prepare().by_kid
    assert first.kid not in remaining and second.kid in remaining
    assert first.kid not in (folder.path / "jwks.json").read_text()


def test_half_a_rotation_changes_nothing(folder: KeyFolder) -> None:
    """Killed between publishing a key and keeping it: the registry knows one key more, nobody signs with it."""
    ring = folder.prepare()
    newest = folder.rotate().next
    (folder.path / newest.file_name).unlink()
    assert folder.prepare().signing.kid == ring.signing.kid


def test_the_registry_accepts_tokens_throughout_a_rotation(server: RegistryServer, folder: KeyFolder) -> None:
    registry = Registry(server.url, session_to(server.url), OwnTokens(upstream.own_token))
    first = folder.read().signing
    registry.ping()
    call_command("rotate_token_key", stdout=StringIO())
    assert folder.ring().signing.kid != first.kid
    registry.ping()
    assert accepts(first), "old tokens are good until they end"
    with pytest.raises(CommandError, match="[Rr]estart it"):
        call_command("rotate_token_key", wait=0, stdout=StringIO())
    assert len(folder.read().keys) == 3, "nothing was rotated"
    server.stop()
    with pytest.raises(CommandError, match="cannot be asked"):
        call_command("rotate_token_key", stdout=StringIO())
    server.start()
    call_command("rotate_token_key", stdout=StringIO())
    registry.ping()


def test_a_leaked_key_is_distrusted_at_once(server: RegistryServer, folder: KeyFolder) -> None:
    leaked, token = folder.read(), signing.mint(ANONYMOUS, [], 60)

    with pytest.raises(CommandError, match="restart it now"):
        call_command("rotate_token_key", distrust=True, wait=0, stdout=StringIO())
    with pytest.raises(Unauthorized):
        signing.verify(token)
    assert not set(folder.read().by_kid) & set(leaked.by_kid)
    published = (folder.path / "jwks.json").read_text() + (folder.path / "rootcert.pem").read_text()
    assert len(folder.read().keys) == published.count('"kid"') == published.count("BEGIN CERTIFICATE") == 2

    server.stop()
    server.start()
    assert accepts(folder.read().signing) and accepts(folder.read().next)
    assert not [key.kid for key in leaked.keys if accepts(key)]


def test_a_stranger_s_key_opens_nothing(server: RegistryServer, tmp_path: Path) -> None:
    stranger = KeyFolder(tmp_path / "other").prepare().signing
    auth = OwnTokens(lambda needs: upstream.own_token(needs, stranger))
    with pytest.raises(Unauthorized):
        Registry(server.url, session_to(server.url), auth).ping()


def _age(folder: KeyFolder, by: timedelta) -> None:
    """Make every key of `folder` older, as its name says."""
    for file in sorted(folder.path.glob("*Z.pem")):
        made = datetime.strptime(file.stem, TIME_FORMAT).replace(tzinfo=UTC) - by
        file.rename(file.with_name(made.strftime(TIME_FORMAT) + ".pem"))
