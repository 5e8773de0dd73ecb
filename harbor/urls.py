from django.urls import include, path

urlpatterns = [
    path("v2", include("gateway.urls")),
    path("service/token", include("tokens.urls")),
    path("api/", include("api.urls")),
    path("c/", include("api.session")),
    path("", include("portal.urls")),
]
