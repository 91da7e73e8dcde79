"""The table of settings: each row is an environment variable, and a value in `app.config`."""

from datetime import timedelta

from .kinds import (
    accent_color,
    any_text,
    base_url,
    boolean,
    bucket_url,
    choice,
    counter_url,
    database_url,
    email_address,
    email_addresses,
    host,
    integer,
    mail_server,
    origins,
    port,
    sentences,
    time_zone,
)
from .setting import Setting, Value, Values


class Settings(Values):
    """All settings, in the order of the docs, and the values that are derived from them."""

    ENVIRONMENT = Setting(
        choice("development", "production"),
        default="development",
        help="In production, leadapp refuses to start with missing or unsafe settings.",
    )
    INSTANCE_PATH = Setting(
        any_text,
        help="Folder of the database, files, backups and generated secret. "
        "Relative paths start here. Empty: instance/.",
    )
    SECRET_KEY = Setting(
        any_text,
        help="Key that signs sessions, tokens and links. "
        "At least 32 characters; 48 for HS384, 64 for HS512. Development generates one.",
        needed=True,
        secret=True,
    )
    BASE_URL = Setting(
        base_url,
        help="Public address of the site. E-mails link to it, and other host names are refused. "
        "Empty: http://HOST:PORT.",
        needed=True,
    )
    HOST = Setting(
        host,
        default="127.0.0.1",
        help="Address that gunicorn listens on. For `flask run`, use --host.",
    )
    PORT = Setting(
        port, default="8000", help="Port that gunicorn listens on. For `flask run`, use --port."
    )
    TRUSTED_PROXIES = Setting(
        integer(0, 9),
        default="0",
        help="Number of proxies in front of the server that set X-Forwarded-For, -Proto and -Host.",
        needed=True,
    )
    DEBUG = Setting(
        boolean,
        default="true",
        help="Flask's debug mode, for an application that you start from Python in development. "
        "gunicorn ignores it. For `flask run`, use --debug.",
    )
    LOG_LEVEL = Setting(
        choice("DEBUG", "INFO", "WARNING", "ERROR"),
        default="INFO",
        help="Lowest level of messages that are logged.",
    )
    METRICS_TOKEN = Setting(
        any_text,
        help="Bearer token that allows reading /metrics. Empty: /metrics is off.",
        secret=True,
    )
    TIMEZONE = Setting(time_zone, default="UTC", help="Time zone of the times shown to people.")
    DATABASE_URL = Setting(
        database_url,
        default="sqlite:///./leads.db",
        help="URL of the database.",
        needed=True,
        secret=True,
    )
    UPLOAD_DIR = Setting(
        any_text,
        default="./uploads/resumes",
        help="Folder of the resumes. With STORAGE_URL, it holds only uploads in progress.",
    )
    STORAGE_URL = Setting(
        bucket_url,
        help="Bucket for the resumes, shared by all machines. "
        "Empty: resumes are stored in UPLOAD_DIR.",
    )
    AWS_ACCESS_KEY_ID = Setting(
        any_text,
        help="Access key of the bucket. Set it together with AWS_SECRET_ACCESS_KEY. "
        "Empty: the machine's own role is used.",
        secret=True,
    )
    AWS_SECRET_ACCESS_KEY = Setting(
        any_text,
        help="Secret key of the bucket. Set it together with AWS_ACCESS_KEY_ID.",
        secret=True,
    )
    BACKUP_DIR = Setting(
        any_text,
        default="./backups",
        help="Folder of the backups, and of the list of erased leads, "
        "which a restore does not bring back.",
    )
    MAX_FILE_SIZE = Setting(
        integer(1024, 104_857_600), default="5242880", help="Largest resume, in bytes."
    )
    SMTP_HOST = Setting(
        mail_server,
        help="Mail server. Empty: e-mails are written as files to outbox/ in INSTANCE_PATH.",
        needed=True,
    )
    SMTP_PORT = Setting(
        port,
        default="587",
        help="Port of the mail server. "
        "465 uses TLS from the start; any other port requires STARTTLS. "
        "Only loopback may be unencrypted.",
    )
    SMTP_USERNAME = Setting(
        any_text, help="User name at the mail server. Set it together with SMTP_PASSWORD."
    )
    SMTP_PASSWORD = Setting(
        any_text,
        help="Password at the mail server. Set it together with SMTP_USERNAME.",
        secret=True,
    )
    SMTP_FROM_EMAIL = Setting(
        email_address,
        default="noreply@example.com",
        help="Sender's address of the e-mails.",
        needed=True,
    )
    SMTP_FROM_NAME = Setting(any_text, help="Sender's name in the e-mails. Empty: FIRM_NAME.")
    ATTORNEY_EMAIL = Setting(
        email_addresses,
        default="attorney@example.com",
        help="Addresses that are notified of each submission.",
        needed=True,
    )
    DELIVERY = Setting(
        choice("worker", "external"),
        default="worker",
        help="How e-mails are delivered. worker: by a process that gunicorn starts. "
        "external: by separate `flask mail deliver` processes.",
    )
    ALGORITHM = Setting(
        choice("HS256", "HS384", "HS512"),
        default="HS256",
        help="Algorithm that signs the API's tokens.",
    )
    ACCESS_TOKEN_EXPIRE_MINUTES = Setting(
        integer(1, 525_600), default="1440", help="Lifetime of an API token, in minutes."
    )
    REGISTRATION = Setting(
        choice("open", "approval", "closed"),
        help="Whether people may register over the API. "
        "Empty: open in development on loopback, otherwise closed.",
    )
    RATELIMIT_ENABLED = Setting(
        boolean,
        default="true",
        help="Limit how often one network address may send the form, register "
        "or request a new password. "
        "One address may also trigger confirmations to at most 30 people an hour; "
        "further confirmations are sent later.",
    )
    RATELIMIT_STORAGE_URI = Setting(
        counter_url,
        help="Where the limited requests are counted. "
        "Empty: in limits.db in INSTANCE_PATH, per machine. "
        "Redis: for all machines. memory://: per process. "
        "While the file or Redis is unavailable, each process counts in memory.",
        secret=True,
    )
    CORS_ORIGINS = Setting(
        origins,
        help="Sites whose scripts may call the API. "
        "Empty: ports 3000 and 8000 of localhost in development, otherwise none.",
    )
    EMBED_ORIGINS = Setting(origins, help="Sites that may show the public form in a frame.")
    FIRM_NAME = Setting(
        any_text, default="Lead Management System", help="The firm's name, on pages and in e-mails."
    )
    FORM_INTRO = Setting(
        any_text,
        default="An attorney reads every submission. It takes about two minutes.",
        help="Text below the form's heading.",
    )
    PRIVACY_TEXT = Setting(
        any_text,
        default="Sending this does not make us your attorneys. We use it only to answer you.",
        help="Text above the form's button.",
    )
    CONTACT_TEXT = Setting(
        any_text, default="Answer our e-mail to reach us.", help="How to contact the firm."
    )
    NEXT_STEPS = Setting(
        sentences,
        default="We send you an e-mail with a reference.|"
        "An attorney reads your resume.|"
        "We write or call you.",
        help="What happens after submitting the form, step by step.",
    )
    ACCENT_COLOR = Setting(
        accent_color, help="Color of buttons and marks. Empty: leadapp's own color."
    )

    # Derived from the rows above, and not read from the environment.
    # SETTING_SOURCES: "environment", "default" or the path of a file, by the name of a setting.
    SETTING_SOURCES = Value[dict[str, str]]()
    # HOSTS: requests for any other host name are rejected.
    HOSTS = Value[set[str | None]]()
    # AT_HOME: development on loopback, where only this machine can open the site.
    AT_HOME = Value[bool]()

    # Names that Flask and its extensions read.
    SQLALCHEMY_DATABASE_URI = Value[str]()
    MAX_CONTENT_LENGTH = Value[int]()
    MAX_FORM_PARTS = Value[int]()
    SESSION_COOKIE_NAME = Value[str]()
    SESSION_COOKIE_SECURE = Value[bool]()
    SESSION_COOKIE_SAMESITE = Value[str]()
    PERMANENT_SESSION_LIFETIME = Value[timedelta]()
    WTF_CSRF_TIME_LIMIT = Value[None]()


SETTINGS = [row for row in vars(Settings).values() if isinstance(row, Setting)]
