"""The minimal settings of a production site."""

PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "Jm4-qTz9xWv2sLr7bNp0cKf5hYd8gUa3",
    "BASE_URL": "https://leads.example.com",
    "DATABASE_URL": "sqlite:///leads.db",
    "SMTP_HOST": "smtp.example.com",
    "SMTP_FROM_EMAIL": "leads@lawfirm-test.net",
    "ATTORNEY_EMAIL": "ana@lawfirm-test.net, joe@lawfirm-test.net",
    "TRUSTED_PROXIES": "1",
}
