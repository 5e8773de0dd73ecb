"""Which artifact belongs to which: signatures, SBOMs and attestations, by any of the ways that clients tell it.

* `subject` in the manifest (OCI 1.1), whatever the kind;
* cosign's tags: `sha256-<hex>.sig`, `.att` and `.sbom`;
* BuildKit's attestation manifests, which are entries of the index that holds the image.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from artifacts.description import IMAGE_CONFIGS
from registry.manifests import Descriptor, Manifest
from registry.references import is_digest

SIGNATURE_COSIGN = "signature.cosign"
SIGNATURE_NOTATION = "signature.notation"
ACCELERATOR_NYDUS = "accelerator.nydus"
SBOM_HARBOR = "sbom.harbor"
ANY = "subject.accessory"
ATTESTATION_COSIGN = "attestation.cosign"
SBOM_COSIGN = "sbom.cosign"
ATTESTATION_BUILDKIT = "attestation.buildkit"

BY_ARTIFACT_TYPE = {
    "application/vnd.dev.cosign.artifact.sig.v1+json": SIGNATURE_COSIGN,
    "application/vnd.dev.sigstore.bundle.v0.3+json": SIGNATURE_COSIGN,
    "application/vnd.cncf.notary.signature": SIGNATURE_NOTATION,
    "application/vnd.goharbor.harbor.sbom.v1": SBOM_HARBOR,
}
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
NYDUS_BOOTSTRAP = "containerd.io/snapshot/nydus-bootstrap"
REFERENCE_TYPE = "vnd.docker.reference.type"
REFERENCE_DIGEST = "vnd.docker.reference.digest"

_COSIGN_TAG = re.compile(r"(?P<algorithm>sha256|sha512)-(?P<hex>[a-f0-9]{64,128})\.(?P<kind>sig|att|sbom)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Kinship:
    """What makes an artifact an accessory: the type, and the digest of what it belongs to."""

    type: str
    subject_digest: str


def kinship(manifest: Manifest, tag: str = "") -> Kinship | None:
    """What `manifest`, pushed as `tag` if that is not empty, belongs to; None where it stands for itself."""
    if manifest.subject:
        return Kinship(_type_with_subject(manifest), manifest.subject.digest)
    named = _COSIGN_TAG.fullmatch(tag)
    if not named or not is_digest(subject := f"{named['algorithm']}:{named['hex']}"):
        return None
    if named["kind"] == "sig":
        is_signature = any(layer.media_type == SIMPLE_SIGNING for layer in manifest.layers)
        return Kinship(SIGNATURE_COSIGN, subject) if is_signature else None
    return Kinship(ATTESTATION_COSIGN if named["kind"] == "att" else SBOM_COSIGN, subject)


def is_attestation(entry: Descriptor) -> bool:
    """Whether this entry of an index is no image for some platform but BuildKit's word about one."""
    return entry.annotations.get(REFERENCE_TYPE) == "attestation-manifest"


def attestations(index: Manifest) -> Iterator[tuple[str, Kinship]]:
    """The digests of BuildKit's attestation manifests in `index`, and what each is about."""
    for entry in filter(is_attestation, index.children):
        subject = entry.annotations.get(REFERENCE_DIGEST, "")
        if is_digest(subject):
            yield entry.digest, Kinship(ATTESTATION_BUILDKIT, subject)


def kinships(manifest: Manifest, digest: str, tag: str) -> Iterator[tuple[str, Kinship]]:
    """The digests of accessories that a push of `manifest` makes known, and what each belongs to."""
    if manifest.is_index:
        yield from attestations(manifest)
    own = kinship(manifest, tag)
    if own and own.subject_digest != digest:
        yield digest, own


def _type_with_subject(manifest: Manifest) -> str:
    if manifest.artifact_type in BY_ARTIFACT_TYPE:
        return BY_ARTIFACT_TYPE[manifest.artifact_type]
    last = manifest.layers[-1] if manifest.layers else None
    if last and manifest.config_media_type in IMAGE_CONFIGS and NYDUS_BOOTSTRAP in last.annotations:
        return ACCELERATOR_NYDUS
    return ANY
