"""The least that a site in production is told."""

PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "k" * 40,
    "BASE_URL": "https://leads.example.com",
    "DATABASE_URL": "sqlite:///leads.db",
    "SMTP_HOST": "smtp.example.com",
    "SMTP_FROM_EMAIL": "leads@example.com",
    "ATTORNEY_EMAIL": "ana@example.com, joe@example.com",
    "TRUSTED_PROXIES": "1",
}
