// Swagger UI of our own document. A browser that is signed in asks with its session: each answer brings the token that
// the next change has to carry.
const place = document.getElementById("api");
let token = "";

SwaggerUIBundle({
  domNode: place,
  url: place.dataset.document,
  deepLinking: true,
  docExpansion: "none",
  validatorUrl: null,
  persistAuthorization: false,
  requestInterceptor(request) {
    if (token) request.headers["X-Harbor-CSRF-Token"] = token;
    return request;
  },
  responseInterceptor(response) {
    token = response.headers["x-harbor-csrf-token"] || token;
    return response;
  },
});
