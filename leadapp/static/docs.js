// Starts Swagger UI from a file, because the Content-Security-Policy allows no inline script.
SwaggerUIBundle({
  url: document.querySelector("[data-document]").dataset.document,
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
