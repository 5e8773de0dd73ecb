from django.urls import re_path

from gateway import views

# One pattern: `gateway.paths` alone takes a path apart. It takes line ends too, to refuse them in the protocol's form.
urlpatterns = [re_path(r"\A(?:/[\s\S]*)?\Z", views.v2)]
