from django.urls import include, path

from api.openapi import reader

handler403 = "portal.views.errors.forbidden"
handler404 = "portal.views.errors.not_found"
handler500 = "portal.views.errors.failed"

urlpatterns = [
    path("v2", include("gateway.urls")),
    path("service/token", include("tokens.urls")),
    path("api/", include("api.urls")),
    path("c/", include("api.session")),
    path("devcenter-api-2.0", reader),
    path("", include("portal.urls")),
]
