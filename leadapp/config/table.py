"""The one table of settings: name, type, default, help."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from .. import accent


class Kind(NamedTuple):
    """How the text of a setting is read (ValueError if it cannot be), and what is allowed, in words."""

    allowed: str
    read: Callable[[str], Any] = str


def _number(low: int, high: int) -> Kind:
    def read(text: str) -> int:
        if not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return Kind(f"a whole number from {low} to {high}", read)


def _choice(*names: str) -> Kind:
    return Kind(" or ".join(names), lambda text: text and names[names.index(text)])


def _list_of(allowed: str, read: Callable[[str], Any], separator: str = ",") -> Kind:
    return Kind(allowed, lambda text: [read(part.strip()) for part in text.split(separator) if part.strip()])


def _yes_no(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.lower()]


def _address(text: str) -> str:
    if not re.fullmatch(r"[^@\s<>,]+@[^@\s<>,]+", text):  # an operator's own domain may be a private one
        raise ValueError(text)
    return text


def _origin(text: str) -> str:
    if not re.fullmatch(r"https?://[^/\s;,'\"]+", text):
        raise ValueError(text)
    return text


def _base_url(text: str) -> str:
    url = urlsplit(text)
    if text and (url.scheme not in ("http", "https") or not url.hostname or url.path.strip("/") or url.query):
        raise ValueError(text)
    return text.rstrip("/")


def _database(text: str) -> str:
    url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", text)
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError(text)
    return url


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (KeyError, OSError) as error:
        raise ValueError(text) from error


TEXT = Kind("text")
YES_NO = Kind("true or false", _yes_no)
PORT = _number(1, 65535)
ORIGINS = _list_of("origins like https://www.example.com, with commas between", _origin)


class Setting(NamedTuple):
    """One row of the table; `default` is written as it would be in the environment."""

    name: str
    kind: Kind
    default: str
    help: str
    needed: bool = False  # production does not start without it
    secret: bool = False  # never shown; may stand in a file that NAME_FILE names


def example() -> str:
    """Write `.env.example`: every setting, its help and its default."""
    heading = "# Copy to .env and take the # from what you set. A secret may stand in a file that NAME_FILE names.\n"
    return heading + "".join(f"\n# {setting.help}\n# {setting.name}={setting.default}\n" for setting in SETTINGS)


def markdown() -> str:
    """Write the table of docs/configuration.md."""
    rows = ["| Variable | Allowed | Default | What it does | In production |", "|---|---|---|---|---|"]
    for setting in SETTINGS:
        default = f"`{setting.default}`".replace("|", "\\|") if setting.default else ""
        needed = "must be set" if setting.needed else ""
        name = f"`{setting.name}`" + (" (secret)" if setting.secret else "")
        rows.append(
            f"| {name} | {setting.kind.allowed.replace('|', '&#124;')} | {default} | {setting.help} | {needed} |"
        )
    return "\n".join(rows) + "\n"


# fmt: off
SETTINGS = (
    Setting("ENVIRONMENT", _choice("development", "production"), "development", "Production is strict."),
    Setting("INSTANCE_PATH", TEXT, "",
            "Folder of database, files, letters and secret; relative paths start in it. Empty: instance/."),
    Setting("SECRET_KEY", TEXT, "",
            "Signs sessions, tokens, links: 32 characters or more. Development makes one.", needed=True, secret=True),
    Setting("BASE_URL", Kind("an address like https://leads.example.com", _base_url), "",
            "Where people reach this site; letters link to it. Empty: http://HOST:PORT.", needed=True),
    Setting("HOST", TEXT, "127.0.0.1", "Address the server listens on."),
    Setting("PORT", PORT, "8000", "Port the server listens on."),
    Setting("TRUSTED_PROXIES", _number(0, 9), "0",
            "How many proxies stand before the server and set X-Forwarded-For, -Proto and -Host.", needed=True),
    Setting("DEBUG", YES_NO, "true", "Flask's debug mode, for `flask run` in development."),
    Setting("LOG_LEVEL", _choice("DEBUG", "INFO", "WARNING", "ERROR"), "INFO", "How much is logged."),
    Setting("TIMEZONE", Kind("a zone like Europe/Lisbon", _zone), "UTC", "Zone of the times shown to people."),
    Setting("DATABASE_URL", Kind("sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME", _database),
            "sqlite:///./leads.db", "The database.", needed=True, secret=True),
    Setting("UPLOAD_DIR", TEXT, "./uploads/resumes", "Folder of the resumes."),
    Setting("MAX_FILE_SIZE", _number(1024, 100 * 2**20), "5242880", "Largest resume, in bytes."),
    Setting("SMTP_HOST", TEXT, "", "Mail server; empty: letters become files in the instance's outbox/.", needed=True),
    Setting("SMTP_PORT", PORT, "587",
            "465 is TLS from the start, any other requires STARTTLS; only loopback may be plain."),
    Setting("SMTP_USERNAME", TEXT, "", "Signs in to the mail server; both or neither with SMTP_PASSWORD."),
    Setting("SMTP_PASSWORD", TEXT, "", "Goes with SMTP_USERNAME.", secret=True),
    Setting("SMTP_FROM_EMAIL", Kind("an e-mail address", _address), "noreply@example.com",
            "Sender of the letters.", needed=True),
    Setting("SMTP_FROM_NAME", TEXT, "Lead Management System", "Sender's name in the letters."),
    Setting("ATTORNEY_EMAIL", _list_of("e-mail addresses, with commas between", _address), "attorney@example.com",
            "Who is told about each submission.", needed=True),
    Setting("DELIVERY", _choice("worker", "external"), "worker",
            "Who delivers letters: every web worker, or `flask mail deliver` run beside them."),
    Setting("ALGORITHM", _choice("HS256", "HS384", "HS512"), "HS256", "Signature of the API's tokens."),
    Setting("ACCESS_TOKEN_EXPIRE_MINUTES", _number(1, 525600), "1440", "How long an API token lives."),
    Setting("REGISTRATION", _choice("open", "approval", "closed"), "",
            "Who may register over the API. Empty: open in development on loopback, approval elsewhere."),
    Setting("RATELIMIT_ENABLED", YES_NO, "true", "Whether the public form and API count what one address sends."),
    Setting("RATELIMIT_STORAGE_URI", TEXT, "memory://", "Where that is counted; memory:// counts in each process."),
    Setting("CORS_ORIGINS", ORIGINS, "",
            "Sites whose scripts may call the API. Empty: ports 3000 and 8000 of localhost in development, else none."),
    Setting("EMBED_ORIGINS", ORIGINS, "", "Sites that may frame the public form."),
    Setting("FIRM_NAME", TEXT, "Lead Management System", "The firm's name, on pages and in letters."),
    Setting("FORM_INTRO", TEXT, "An attorney reads every submission. It takes about two minutes.",
            "Line under the form's heading."),
    Setting("PRIVACY_TEXT", TEXT, "Sending this does not make us your attorneys. We use it only to answer you.",
            "Line above the form's button."),
    Setting("CONTACT_TEXT", TEXT, "Answer our e-mail to reach us.", "How to reach the firm."),
    Setting("NEXT_STEPS", _list_of("sentences, with | between", str, "|"),
            "We send you an e-mail with a reference.|An attorney reads your resume.|We write or call you.",
            "What happens after sending, step by step."),
    Setting("ACCENT_COLOR", Kind("a colour like #1f4e5f whose contrast with white is 4.5 or more", accent.parse), "",
            "Colour of buttons and marks; empty: our own."),
)
# fmt: on
