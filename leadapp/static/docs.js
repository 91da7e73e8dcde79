// Starts Swagger UI from here: the policy of its page allows no script inside it.
SwaggerUIBundle({
  url: document.querySelector("[data-document]").dataset.document,
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
