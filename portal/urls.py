"""The addresses of the pages.

Names of repositories hold slashes, so what is asked of one stands behind `/-/`, which no name may hold.
"""

from django.urls import path, re_path

from portal.views import account, artifacts, members, overview, projects, repositories, robots, users

app_name = "portal"

PROJECT = "projects/<str:project>"
REPOSITORY = r"^projects/(?P<project>[^/]+)/repositories/(?P<repository>[^/]+(?:/[^/]+)*?)"
ARTIFACT = REPOSITORY + r"/-/artifacts/(?P<digest>sha(?:256|512):[0-9a-f]+)"

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("search", overview.search, name="search"),
    path("account/sign-in", account.sign_in, name="sign-in"),
    path("account/sign-out", account.sign_out, name="sign-out"),
    path("account/password", account.password, name="password"),
    path("account/theme", account.theme, name="theme"),
    path("account/language", account.language, name="language"),
    path("users", users.index, name="users"),
    path("users/new", users.create, name="user-new"),
    path("users/<int:user>/administrator", users.administrator, name="user-administrator"),
    path("users/<int:user>/password", users.reset_password, name="user-password"),
    path("users/<int:user>/delete", users.delete, name="user-delete"),
    path("projects", projects.index, name="projects"),
    path("projects/-/new", projects.create, name="project-new"),
    path(PROJECT, projects.show, name="project"),
    path(f"{PROJECT}/settings", projects.settings, name="project-settings"),
    path(f"{PROJECT}/delete", projects.delete, name="project-delete"),
    path(f"{PROJECT}/log", projects.log, name="log"),
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
    re_path(f"{REPOSITORY}/-/description$", repositories.describe, name="repository-description"),
    re_path(f"{REPOSITORY}/-/delete$", repositories.delete, name="repository-delete"),
    re_path(f"{REPOSITORY}$", repositories.show, name="repository"),
]
