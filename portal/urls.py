"""The addresses of the pages.

Names of repositories hold slashes, so what is asked of one stands behind `/-/`, which no name may hold.
"""

from django.urls import path, re_path

from portal.views import (
    account,
    artifacts,
    audit,
    jobs,
    members,
    overview,
    profile,
    projects,
    repositories,
    robots,
    searches,
    summary,
    users,
)

app_name = "portal"

PROJECT = "projects/<str:project>"
REPOSITORY = r"^projects/(?P<project>[^/]+)/repositories/(?P<repository>[^/]+(?:/[^/]+)*?)"
ARTIFACT = REPOSITORY + r"/-/artifacts/(?P<digest>sha(?:256|512):[0-9a-f]+)"

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("search", searches.results, name="search"),
    path("palette", searches.palette, name="palette"),
    path("account/sign-in", account.sign_in, name="sign-in"),
    path("account/sign-out", account.sign_out, name="sign-out"),
    path("account/password", account.password, name="password"),
    path("account", profile.profile, name="profile"),
    path("account/preferences", profile.prefer, name="preferences"),
    path("account/theme", profile.theme, name="theme"),
    path("account/language", profile.language, name="language"),
    path("users", users.index, name="users"),
    path("users/new", users.create, name="user-new"),
    path("users/<int:user>/administrator", users.administrator, name="user-administrator"),
    path("users/<int:user>/password", users.reset_password, name="user-password"),
    path("users/<int:user>/delete", users.delete, name="user-delete"),
    path("robots", robots.index, name="system-robots"),
    path("robots/new", robots.create, name="system-robot-new"),
    path("robots/<int:robot>", robots.show, name="system-robot"),
    path("robots/<int:robot>/switch", robots.switch, name="system-robot-switch"),
    path("robots/<int:robot>/secret", robots.refresh, name="system-robot-secret"),
    path("robots/<int:robot>/delete", robots.delete, name="system-robot-delete"),
    path("audit", audit.index, name="audit"),
    path("audit.csv", audit.export, name="audit-csv"),
    path("jobs", jobs.index, name="jobs"),
    path("jobs/schedules", jobs.schedules, name="schedules"),
    path("jobs/workers", jobs.workers, name="workers"),
    path("jobs/queues/<str:kind>/pause", jobs.pause, name="queue-pause"),
    path("jobs/<int:execution>", jobs.show, name="execution"),
    path("jobs/<int:execution>/stop", jobs.stop, name="execution-stop"),
    path("health", overview.health_page, name="health"),
    path("projects", projects.index, name="projects"),
    path("projects/-/new", projects.create, name="project-new"),
    path(PROJECT, projects.show, name="project"),
    path(f"{PROJECT}/summary", summary.summary, name="summary"),
    path(f"{PROJECT}/settings", projects.settings, name="project-settings"),
    path(f"{PROJECT}/delete", projects.delete, name="project-delete"),
    path(f"{PROJECT}/log", audit.of_project, name="log"),
    path(f"{PROJECT}/log.csv", audit.export_of_project, name="log-csv"),
    path(f"{PROJECT}/members", members.index, name="members"),
    path(f"{PROJECT}/members/<int:member>", members.change, name="member"),
    path(f"{PROJECT}/members/<int:member>/remove", members.remove, name="member-remove"),
    path(f"{PROJECT}/robots", robots.index, name="robots"),
    path(f"{PROJECT}/robots/new", robots.create, name="robot-new"),
    path(f"{PROJECT}/robots/<int:robot>", robots.show, name="robot"),
    path(f"{PROJECT}/robots/<int:robot>/switch", robots.switch, name="robot-switch"),
    path(f"{PROJECT}/robots/<int:robot>/secret", robots.refresh, name="robot-secret"),
    path(f"{PROJECT}/robots/<int:robot>/delete", robots.delete, name="robot-delete"),
    re_path(f"{ARTIFACT}/tags$", artifacts.add_tag, name="tag-new"),
    re_path(f"{ARTIFACT}/tags/(?P<tag>[^/]+)/delete$", artifacts.delete_tag, name="tag-delete"),
    re_path(f"{ARTIFACT}/delete$", artifacts.delete, name="artifact-delete"),
    re_path(f"{ARTIFACT}$", artifacts.show, name="artifact"),
    re_path(f"{REPOSITORY}/-/info$", repositories.info, name="repository-info"),
    re_path(f"{REPOSITORY}/-/description$", repositories.describe, name="repository-description"),
    re_path(f"{REPOSITORY}/-/delete$", repositories.delete, name="repository-delete"),
    re_path(f"{REPOSITORY}$", repositories.show, name="repository"),
]
