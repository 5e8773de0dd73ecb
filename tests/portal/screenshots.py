"""Pictures of every page: `python -m tests.portal.screenshots` starts a Haven, furnishes it, and writes
`docs/screenshots/`: light, dark, on a phone and in Chinese. Needs what the stories need, and about three minutes.

Looks and pages that are named are taken alone: `python -m tests.portal.screenshots phone dark jobs`.
A picture is kept as WebP, which the browser itself makes of what it has painted: a third of the size of a PNG.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import django

from tests.settings import BASE_DIR

django.setup()

from playwright.sync_api import Browser, Page  # noqa: E402

from tests.portal.browser import PHONE, WIDE, Reader, chromium  # noqa: E402
from tests.portal.gallery import furnish  # noqa: E402
from tests.stack.stack import ADMIN_PASSWORD, Stack  # noqa: E402

FOLDER = Path(BASE_DIR) / "docs" / "screenshots"
LOOKS = {
    "light": ("light", "en", WIDE),
    "dark": ("dark", "en", WIDE),
    "phone": ("light", "en", PHONE),
    "chinese": ("light", "zh-hans", WIDE),
}
PAGES = {
    "overview": "/",
    "projects": "/projects",
    "project": "/projects/payments",
    "project-new": "/projects/-/new",
    "project-summary": "/projects/payments/summary",
    "project-members": "/projects/payments/members",
    "project-robots": "/projects/payments/robots",
    "project-labels": "/projects/payments/labels",
    "project-log": "/projects/payments/log",
    "project-settings": "/projects/payments/settings",
    "project-allow-list": "/projects/payments/allowlist",
    "project-empty": "/projects/sandbox",
    "robot-new": "/projects/payments/robots/new",
    "repository": "/projects/payments/repositories/api",
    "repository-info": "/projects/payments/repositories/api/-/info",
    "repository-delete": "/projects/payments/repositories/api/-/delete",
    "artifact": "{index}",
    "artifact-platforms": "{index}?view=platforms",
    "artifact-accessories": "{index}?view=accessories",
    "artifact-layers": "{image}?view=layers",
    "artifact-configuration": "{image}?view=config",
    "artifact-manifest": "{image}?view=manifest",
    "artifact-copy": "{index}/copy",
    "chart-readme": "{chart}?view=readme",
    "chart-values": "{chart}?view=values",
    "search": "/search?q=payments",
    "users": "/users",
    "groups": "/groups",
    "system-robots": "/robots",
    "system-robot-new": "/robots/new",
    "labels": "/labels",
    "quotas": "/quotas",
    "endpoints": "/endpoints",
    "endpoint-new": "/endpoints/new?type=harbor",
    "replication": "/replication",
    "replication-new": "/replication/new",
    "replication-rule": "{rule}",
    "replication-run": "{run}",
    "replication-verification": "{check}",
    "project-replication": "/projects/payments/replication",
    "audit-log": "/audit",
    "audit-purge": "/audit/purge",
    "jobs": "/jobs",
    "job": "/jobs/{execution}",
    "schedules": "/jobs/schedules",
    "workers": "/jobs/workers",
    "configuration": "/configuration/system",
    "configuration-authentication": "/configuration/authentication",
    "configuration-security": "/configuration/security",
    "health": "/health",
    "profile": "/account",
    "not-found": "/projects/no-such-project",
}
SHRINK = """async (png) => {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL("image/webp", 0.75).split(",")[1];
}"""
ASK = """
from artifacts.models import Tag
from jobs.models import Execution, Status
from replication.models import CHECKS, VENDOR, Policy
def path(repository, tag):
    row = Tag.objects.select_related("artifact").get(repository__name=repository, name=tag)
    project, _, name = repository.partition("/")
    return f"/projects/{project}/repositories/{name}/-/artifacts/{row.artifact.digest}"
rule = Policy.objects.get(name="payments to frankfurt")
def newest(vendor_type):
    return Execution.objects.filter(vendor_type=vendor_type, vendor_id=rule.pk).order_by("-start_time").first().pk
running = Execution.objects.filter(vendor_type="GARBAGE_COLLECTION", jobs__status=Status.RUNNING)
answer = {
    "rule": f"/replication/{rule.pk}",
    "run": f"/replication/{rule.pk}/runs/{newest(VENDOR)}",
    "check": f"/replication/{rule.pk}/checks/{newest(CHECKS)}",
    "index": path("payments/api", "2.11.0"),
    "image": path("library/nginx", "1.28.0"),
    "chart": path("charts/payments", "1.4.2"),
    "execution": running.order_by("-pk").first().pk,
}
"""


@dataclass
class Album:
    """Where the pictures go. `darkroom` is an empty page that shrinks them."""

    folder: Path
    darkroom: Page
    pages: set[str]
    """The names of those that are wanted; empty for all."""

    def wants(self, name: str) -> bool:
        """Whether the page is to be taken."""
        return not self.pages or name in self.pages

    def take(self, page: Page, name: str) -> None:
        """The window as it is, as a small file."""
        page.wait_for_load_state("networkidle")
        png = base64.b64encode(page.screenshot()).decode()
        webp = base64.b64decode(self.darkroom.evaluate(SHRINK, png))
        (self.folder / f"{name}.webp").write_bytes(webp)


def main(only: list[str]) -> int:
    """Every picture, or those of the looks and pages that are named; 0 as everywhere."""
    looks, pages = set(only) & set(LOOKS), set(only) - set(LOOKS)
    stack = Stack().start()
    try:
        furnish(stack)
        places = stack.ask(ASK)
        with chromium() as browser:
            for look, reader in readers(browser, stack):
                if looks and look not in looks:
                    continue
                album = Album(FOLDER / look, browser.new_page(), pages)
                album.folder.mkdir(parents=True, exist_ok=True)
                photograph(reader, album, places)
                reader.leave()
                print(f"{look}: {sum(path.stat().st_size for path in album.folder.iterdir()) // 1000} kB")
    finally:
        stack.remove()
    return 0


def readers(browser: Browser, stack: Stack) -> Iterator[tuple[str, Reader]]:
    """The administrator, once for each look."""
    for look, (theme, language, size) in LOOKS.items():
        reader = Reader(browser, stack.url, size)
        reader.context.set_default_timeout(120_000)
        reader.prefer(theme=theme, language=language)
        yield look, reader


def photograph(reader: Reader, album: Album, places: dict[str, str]) -> None:
    """Every page, the sign-in page first and the command palette last."""
    page = reader.page
    page.goto("/account/sign-in")
    if album.wants("sign-in"):
        album.take(page, "sign-in")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", ADMIN_PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_selector(".hv-frame")
    for name, address in PAGES.items():
        if album.wants(name):
            page.goto(address.format(**places))
            album.take(page, name)
    if album.wants("palette"):
        photograph_palette(page, album)


def photograph_palette(page: Page, album: Album) -> None:
    """The command palette, over a project."""
    page.goto("/projects/payments")
    page.keyboard.press("Control+k")
    page.fill("#hv-palette input", "pay")
    page.wait_for_selector("#hv-palette [role=option]")
    page.wait_for_timeout(400)
    album.take(page, "palette")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
