"""The kinds of registry as people know them: what each is called, and which credentials it wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import lazystr
from django.utils.translation import gettext_lazy as _

from replication.adapters import KINDS

USER_NAME, PASSWORD, ACCESS_TOKEN = _("Username"), _("Password"), _("Access token")
KEY_ID, KEY_SECRET = _("Access key ID"), _("Access key secret")


@dataclass(frozen=True)
class Provider:
    """A kind of registry: its name, what its address looks like, and how one signs in there."""

    name: Any
    address: str
    key: Any
    secret: Any
    told: Any
    """Where the credentials come from and what they must be good for."""


PROVIDERS: dict[str, Provider] = {
    "harbor": Provider(
        _("Haven or Harbor"),
        "https://harbor.example.com",
        _("Username or robot name"),
        _("Password or robot secret"),
        _("A robot of the system is best: it can list, pull and push, and its secret can be renewed."),
    ),
    "docker-registry": Provider(
        _("Any other registry (v2)"),
        "https://registry.example.com",
        USER_NAME,
        PASSWORD,
        _("The name and the password that “docker login” takes. Leave both empty where nobody has to sign in."),
    ),
    "docker-hub": Provider(
        "Docker Hub",
        "https://hub.docker.com",
        _("Docker ID"),
        _("Personal access token"),
        _("Make a personal access token in your Docker account. Rules that push need one that may write."),
    ),
    "github-ghcr": Provider(
        "GitHub (ghcr.io)",
        "https://ghcr.io",
        _("GitHub username"),
        _("Personal access token (classic)"),
        _("The token needs read:packages, and write:packages for rules that push. Fine-grained tokens do not work."),
    ),
    "gitlab": Provider(
        "GitLab",
        "https://registry.gitlab.com",
        USER_NAME,
        ACCESS_TOKEN,
        _("A personal, group or project access token with read_api; for rules that push also write_registry."),
    ),
    "quay": Provider(
        "Quay",
        "https://quay.io",
        _("Robot name or username"),
        _("Password, or the JSON file"),
        _(
            "A robot's password is enough for repositories that you name. To list all of them, paste a JSON file with "
            "account_name, docker_cli_password and oauth2_token, and leave the name empty."
        ),
    ),
    "aws-ecr": Provider(
        "Amazon ECR",
        "https://123456789012.dkr.ecr.eu-central-1.amazonaws.com",
        KEY_ID,
        _("Secret access key"),
        _("The key of an IAM user who may read ECR; to push, who may also create repositories and write to them."),
    ),
    "google-gcr": Provider(
        "Google Artifact Registry",
        "https://europe-docker.pkg.dev",
        USER_NAME,
        _("JSON key of a service account"),
        _("Paste the whole JSON key of a service account that may read Artifact Registry, or write to it to push."),
    ),
    "azure-acr": Provider(
        "Azure Container Registry",
        "https://example.azurecr.io",
        _("Username or application ID"),
        _("Password or client secret"),
        _("A token of the registry, a service principal with AcrPull or AcrPush, or the admin account."),
    ),
    "ali-acr": Provider(
        "Alibaba Cloud ACR",
        "https://registry.cn-hangzhou.aliyuncs.com",
        KEY_ID,
        KEY_SECRET,
        _("The access key of a RAM user who may list, pull and push in the container registry."),
    ),
    "huawei-SWR": Provider(
        "Huawei SWR",
        "https://swr.cn-north-4.myhuaweicloud.com",
        _("Access key (AK)"),
        _("Secret key (SK)"),
        _("The access key of an IAM user with rights for SWR."),
    ),
    "tencent-tcr": Provider(
        "Tencent TCR",
        "https://example.tencentcloudcr.com",
        "SecretId",
        "SecretKey",
        _("An API key of a CAM user with rights for TCR."),
    ),
    "volcengine-cr": Provider(
        "Volcengine CR",
        "https://example-cn-beijing.cr.volces.com",
        KEY_ID,
        KEY_SECRET,
        _("The access key of an IAM user with rights for the container registry."),
    ),
    "jfrog-artifactory": Provider(
        "JFrog Artifactory",
        "https://example.jfrog.io",
        USER_NAME,
        _("Password, API key or identity token"),
        _("An account that may read the docker repositories; to push, that may deploy to them."),
    ),
    "dtr": Provider(
        "Docker Trusted Registry",
        "https://dtr.example.com",
        USER_NAME,
        _("Password or access token"),
        _("An account that may read the repositories; to push, that may create them."),
    ),
}


def provider_of(kind: str) -> Provider:
    """How a kind of registry is shown; one that has no words here is called by Harbor's."""
    plain = PROVIDERS["docker-registry"]
    return PROVIDERS.get(kind) or Provider(lazystr(kind), plain.address, plain.key, plain.secret, plain.told)


def offered() -> list[tuple[str, Provider]]:
    """Every kind that Haven can replicate with."""
    return [(kind, provider_of(kind)) for kind in KINDS]
