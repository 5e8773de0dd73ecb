"""What an operator asks for, and the sentence they get where it cannot be."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from deploy import options
from deploy.registry import generation_of
from deploy.storage import storage
from harbor.environment import ROOT, Unusable


def registry_that_says(folder: Path, version: str) -> str:
    program = folder / "registry"
    program.write_text(f"#!/bin/sh\necho '{version}'\n")
    program.chmod(0o755)
    return str(program)


SECOND = "docker-registry github.com/docker/distribution 2.8.2+ds1"
THIRD = "/bin/registry github.com/distribution/distribution/v3 v3.1.2+unknown"


@pytest.mark.parametrize(("version", "generation"), [(SECOND, 2), (THIRD, 3)])
def test_the_generation_is_what_the_program_says(tmp_path: Path, version: str, generation: int) -> None:
    assert generation_of(registry_that_says(tmp_path, version)) == generation


@pytest.mark.parametrize("version", ["", "ls (GNU coreutils) 9.1", "github.com/docker/distribution 4.0.0"])
def test_another_program_is_no_registry(tmp_path: Path, version: str) -> None:
    with pytest.raises(Unusable, match="REGISTRY_BIN"):
        generation_of(registry_that_says(tmp_path, version))


def test_nothing_set_is_loopback_on_8080() -> None:
    chosen = options.read({}, generation=2)
    assert (chosen.listen, chosen.external_url, chosen.loopback) == ("127.0.0.1:8080", "http://localhost:8080", True)
    assert chosen.storage == {"filesystem": {"rootdirectory": str(chosen.data / "registry")}}


def test_a_certificate_makes_it_https(tmp_path: Path) -> None:
    tls = {"HAVEN_TLS_CERT": str(tmp_path / "crt"), "HAVEN_TLS_KEY": str(tmp_path / "key")}
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    command += ["-keyout", tls["HAVEN_TLS_KEY"], "-out", tls["HAVEN_TLS_CERT"]]
    subprocess.run(command, check=True, capture_output=True)
    assert options.read({"HAVEN_PORT": "8443", **tls}, 2).external_url == "https://localhost:8443"
    with pytest.raises(Unusable, match="https"):
        options.read({"HAVEN_EXTERNAL_URL": "http://registry.example", **tls}, 2)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"HAVEN_PORT": "0"}, "HAVEN_PORT"),
        ({"HAVEN_PORT": "-1"}, "HAVEN_PORT"),
        ({"HAVEN_PORT": "80 80"}, "HAVEN_PORT"),
        ({"HAVEN_BIND": "example.org"}, "HAVEN_BIND"),
        ({"HAVEN_BIND": "0.0.0.0"}, "HAVEN_EXTERNAL_URL"),
        ({"HAVEN_BIND": "::"}, "HAVEN_EXTERNAL_URL"),
        ({"HAVEN_BIND": "10.1.2.3"}, "HAVEN_EXTERNAL_URL"),
        ({"HAVEN_EXTERNAL_URL": "registry.example"}, "HAVEN_EXTERNAL_URL"),
        ({"HAVEN_EXTERNAL_URL": "https://user@registry.example"}, "HAVEN_EXTERNAL_URL"),
        ({"HAVEN_EXTERNAL_URL": "https://registry.example/haven"}, "path"),
        ({"HAVEN_EXTERNAL_URL": "https://registry.example:99999"}, "HAVEN_EXTERNAL_URL"),
        ({"HAVEN_EXTERNAL_URL": 'https://a";return 200 "'}, "HAVEN_EXTERNAL_URL"),
        ({"HAVEN_TLS_CERT": "/nowhere"}, "belong together"),
        ({"HAVEN_TLS_CERT": "/nowhere", "HAVEN_TLS_KEY": "/nowhere"}, "HAVEN_TLS_CERT"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"SECRET_KEY": "changeme" * 8}, "SECRET_KEY"),
        ({"SECRET_KEY": "django-insecure-" + "x" * 50}, "SECRET_KEY"),
        ({"REGISTRY_HTTP_SECRET": "secret"}, "REGISTRY_HTTP_SECRET"),
        ({"HARBOR_ADMIN_PASSWORD": "Harbor12345"}, "HARBOR_ADMIN_PASSWORD"),
        ({"DATABASE_URL": "mysql://u@h/d"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgres://u@h"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgres://u@h:x/d"}, "DATABASE_URL"),
        ({"REDIS_URL": "http://h"}, "REDIS_URL"),
        ({"REDIS_URL": f"unix:///{'x' * 120}"}, "107 bytes"),
        ({"HAVEN_TRUSTED_PROXIES": "10.0.0.0/8, anybody"}, "HAVEN_TRUSTED_PROXIES"),
        ({"HAVEN_WEB_WORKERS": "many"}, "HAVEN_WEB_WORKERS"),
        ({"HAVEN_STORAGE_REDIRECT": "maybe"}, "HAVEN_STORAGE_REDIRECT"),
    ],
)
def test_a_refusal_is_one_sentence(given: dict[str, str], word: str) -> None:
    with pytest.raises(Unusable) as refusal:
        options.read(given, generation=2)
    assert word in str(refusal.value)
    assert str(refusal.value).endswith(".") and "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("driver", "given", "works_with"),
    [
        ("filesystem", {}, {2, 3}),
        ("s3", {"BUCKET": "b", "REGION": "eu-central-1"}, {2, 3}),
        ("swift", {"AUTHURL": "a", "USERNAME": "u", "PASSWORD": "p", "CONTAINER": "c"}, {2}),
        ("gcs", {"BUCKET": "b"}, {3}),
        ("azure", {"ACCOUNTNAME": "a", "CONTAINER": "c"}, {3}),
    ],
)
@pytest.mark.parametrize("generation", [2, 3])
def test_drivers_and_generations(driver: str, given: dict[str, str], works_with: set[int], generation: int) -> None:
    environment = {f"REGISTRY_STORAGE_{driver.upper()}_{key}": value for key, value in given.items()}
    environment["REGISTRY_STORAGE"] = driver
    if generation in works_with:
        assert list(storage(environment, generation, "/root")) == [driver]
        return
    with pytest.raises(Unusable, match="REGISTRY_BIN to distribution") as refusal:
        storage(environment, generation, "/root")
    assert ("2.8" if works_with == {2} else "3.x") in str(refusal.value).partition("REGISTRY_BIN")[2]


def test_s3_of_somebody_else() -> None:
    environment = {
        "REGISTRY_STORAGE": "s3",
        "REGISTRY_STORAGE_S3_BUCKET": "0123",
        "REGISTRY_STORAGE_S3_REGIONENDPOINT": "http://127.0.0.1:9000",
        "REGISTRY_STORAGE_S3_SECURE": "false",
        "REGISTRY_STORAGE_S3_CHUNKSIZE": "5242880",
    }
    section = storage(environment, 3, "/root")["s3"]
    assert (section["bucket"], section["secure"], section["chunksize"]) == ("0123", False, 5242880)
    assert section["forcepathstyle"] is True and section["region"]


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"REGISTRY_STORAGE": "oss"}, "S3"),
        ({"REGISTRY_STORAGE": "inmemory"}, "knows"),
        ({"REGISTRY_STORAGE": "s3"}, "BUCKET"),
        ({"REGISTRY_STORAGE": "s3", "REGISTRY_STORAGE_S3_BUCKET": "b"}, "REGION"),
        ({"REGISTRY_STORAGE_FILESYSTEM_ROOT": "/x"}, "not an option"),
        (
            {
                "REGISTRY_STORAGE": "s3",
                "REGISTRY_STORAGE_S3_BUCKET": "b",
                "REGISTRY_STORAGE_S3_REGION": "r",
                "REGISTRY_STORAGE_S3_SECURE": "perhaps",
            },
            "true or false",
        ),
    ],
)
def test_storage_that_cannot_be(given: dict[str, str], word: str) -> None:
    with pytest.raises(Unusable, match=word):
        storage(given, 2, "/root")


def test_an_argument_starts_nothing() -> None:
    answer = subprocess.run([ROOT / "bin/up", "--help"], capture_output=True, text=True, timeout=10, check=False)

    assert answer.returncode == 1 and not answer.stdout
    assert answer.stderr == "haven: bin/up takes no arguments: what it can be told stands in .env.example.\n"
