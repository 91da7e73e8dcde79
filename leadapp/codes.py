"""Every failure that people or programs can meet, with its HTTP status and its words."""

from enum import Enum, unique


@unique
class Code(Enum):
    """A failure: form, API and command line use the same words.

    The words say what to do. A name in braces is filled in.
    """

    def __init__(self, status: int, words: str) -> None:
        self.status = status  # of RFC 9110
        self.words = words

    @property
    def key(self) -> str:
        """Return the code as programs read it, such as `lead_unknown`."""
        return self.name.lower()

    # Names and e-mail addresses
    FIRST_NAME_MISSING = 422, "Enter your first name"
    FIRST_NAME_TOO_LONG = 422, "The first name must be {limit} characters or fewer"
    FIRST_NAME_CHARACTERS = (
        422,
        "The first name contains a character that cannot be printed; type it again",
    )
    LAST_NAME_MISSING = 422, "Enter your last name"
    LAST_NAME_TOO_LONG = 422, "The last name must be {limit} characters or fewer"
    LAST_NAME_CHARACTERS = (
        422,
        "The last name contains a character that cannot be printed; type it again",
    )
    EMAIL_MISSING = 422, "Enter your e-mail address"
    EMAIL_FORMAT = 422, "Enter an e-mail address like name@example.com"
    EMAIL_TOO_LONG = 422, "The e-mail address must be {limit} characters or fewer"
    EMAIL_TAKEN = 422, "An account with this e-mail address already exists"
    # Resumes
    RESUME_MISSING = 422, "Select a resume"
    RESUME_TYPE = 422, "The resume must be a PDF, DOC or DOCX file"
    RESUME_TOO_LARGE = 422, "The resume must be smaller than {limit}"
    RESUME_EMPTY = 422, "The resume is empty"
    RESUME_INCOMPLETE = 422, "{filename} looks incomplete: save it again"
    RESUME_UNCHECKED = 422, "{filename} could not be checked: open it and save it as PDF"
    RESUME_MISNAMED = (
        422,
        "{filename} is a {kind} file inside: rename it to {renamed}, or open it and save it as PDF",
    )
    RESUME_IS_RTF = 422, "{filename} is RTF inside: open it and save it as PDF"
    RESUME_IS_HTML = (
        422,
        "{filename} is a web page (HTML) inside: open it, choose Print and save it as PDF",
    )
    RESUME_IS_WORD_XML = 422, "{filename} is Word XML inside: open it in Word and save it as PDF"
    RESUME_IS_TEMPLATE = 422, "{filename} is a Word template: open it and save it as PDF or DOCX"
    RESUME_IS_MACRO = (
        422,
        "{filename} is a Word document with macros: open it and save it as PDF or DOCX",
    )
    RESUME_IS_OFFICE = 422, "{filename} is an Excel or PowerPoint file: open it and save it as PDF"
    RESUME_IS_ODT = (
        422,
        "{filename} is an OpenDocument (ODT) file: open it and save it as PDF or DOCX",
    )
    RESUME_IS_PAGES = 422, "{filename} is a Pages document: open it in Pages and export it to PDF"
    RESUME_IS_HEIC = 422, "{filename} is a photo (HEIC): open it, choose Print and save it as PDF"
    RESUME_IS_IMAGE = 422, "{filename} is a picture: open it, choose Print and save it as PDF"
    RESUME_IS_ARCHIVE = (
        422,
        "{filename} is an archive, such as a ZIP file: open it and send only the resume inside",
    )
    RESUME_IS_LINK = (
        422,
        "{filename} is only a link to a document: download the document as PDF and send that file",
    )
    RESUME_CHANGED = (
        422,
        "The file was changed or deleted after you selected it. Select it again. If it is in a "
        "cloud drive, save a copy on this device first",
    )
    # The form and its receipt
    FORM_STALE = (
        400,
        "This page was open for too long. Nothing you typed is lost: check it and send it again",
    )
    HONEYPOT_FILLED = (
        422,
        "A hidden field was filled in, perhaps by your browser. Nothing you typed is lost: "
        "press send again",
    )
    RECEIPT_EXPIRED = 410, "This page has expired. The firm still has what you sent"
    RECEIPT_UNKNOWN = 404, "This link is incomplete, or your details were erased"
    # Accounts
    USERNAME_MISSING = 422, "Enter a username"
    USERNAME_FORMAT = 422, "The username must have 3 to 50 letters, digits, underscores or hyphens"
    USERNAME_TAKEN = 422, "An account with this username already exists"
    SIGN_IN_NAME_MISSING = 422, "Enter your username or e-mail address"
    PASSWORD_MISSING = 422, "Enter a password"
    PASSWORD_LENGTH = 422, "The password must have at least 8 characters and at most 72 bytes"
    PASSWORD_CHARACTERS = (
        422,
        "The password must have an uppercase letter, a lowercase letter and a digit",
    )
    PASSWORD_COMMON = 422, "This password is too common; choose another"
    BAD_CREDENTIALS = 401, "The username or password is incorrect"
    SIGN_IN_THROTTLED = (
        429,
        "Too many wrong passwords. Wait {wait}, or ask your administrator to unlock the account",
    )
    SIGN_IN_STALE = (
        400,
        "This page was open for too long. Sign in again. If this happens again, allow cookies "
        "for this site",
    )
    SIGN_IN_BUSY = 503, "Too many people are signing in right now; try again in a minute"
    PRESENT_PASSWORD_WRONG = 422, "The current password is incorrect"
    PASSWORD_SAME = 422, "Choose a password that differs from the current one"
    PASSWORD_CHANGED = 409, "The password was changed in the meantime. Sign in with the new one"
    PASSWORD_CHANGE_REQUIRED = 403, "Change your password first, on the page /auth/password"
    RESET_ENDED = (
        410,
        "This link was already used, or is more than an hour old. Ask for a new one on the "
        "sign-in page",
    )
    RESET_OFF = 404, "This site does not send e-mail. Ask your administrator for a new password"
    ACCOUNT_INACTIVE = 403, "This account is not enabled. Ask your administrator to enable it"
    REGISTRATION_CLOSED = 403, "Registration is closed. Ask your administrator for an account"
    USER_UNKNOWN = 404, "There is no user named {username}"
    NOT_SIGNED_IN = 401, "Sign in first"
    TOKEN_INVALID = (
        401,
        "This token has expired, was revoked or was not issued by this site; sign in again",
    )
    # Leads
    LEAD_UNKNOWN = 404, "This lead was not found; it may have been erased"
    SUBMISSION_UNKNOWN = 404, "This submission was not found"
    VERSION_STALE = 412, "The lead has changed since you read it; read it again"
    MARK_CHANGED = 409, "The lead has changed since you read it; read it again"
    LETTER_UNKNOWN = 404, "This e-mail was not found"
    DEMO_PRODUCTION = 403, "Demo leads cannot be added in production"
    REFERENCE_OTHER = 422, "To erase this lead, type its reference: {reference}"
    PREVIEW_NONE = 404, "Only a PDF can be previewed; download this resume instead"
    UNDO_LATE = (
        409,
        "This lead was marked more than ten minutes ago; the mark can no longer be undone",
    )
    SUBMISSION_NEWER = 409, "A newer submission has arrived; review it first"
    SUBMISSION_COUNT_MISSING = 422, "Open the lead again before you mark it"
    STATUS_TRANSITION = 409, "A lead can only change from PENDING to REACHED_OUT"
    # Storage
    RESUME_GONE = (
        404,
        "The file of this resume is missing from storage; the details of the lead are still here",
    )
    STORAGE_UNAVAILABLE = 503, "Your submission could not be stored; send it again in a minute"
    STORAGE_UNREACHABLE = 503, "The stored files cannot be reached right now; try again in a minute"
    DATABASE_UNAVAILABLE = 503, "The database cannot be reached right now; try again in a minute"
    # Backups
    BACKUP_UNKNOWN = 404, "There is no complete backup in {folder}"
    BACKUP_DAMAGED = (
        409,
        "{path} is missing or has changed since the backup was made; use another backup",
    )
    BACKUP_KIND = (
        409,
        "This is a backup of a {kind} database; set DATABASE_URL to an empty {kind} database",
    )
    BACKUP_NEWER = (
        409,
        "The backup has database revision {revision}, which this version of leadapp does not "
        "know; install the version that made the backup, or a newer one",
    )
    RESTORE_NOT_EMPTY = (
        409,
        "There are accounts, leads or files here already, and a restore overwrites nothing; "
        "empty the database and the storage first",
    )
    TOOL_MISSING = (
        503,
        "{tool} was not found; install PostgreSQL's client tools (Debian: apt-get install "
        "postgresql-client)",
    )
    TOOL_POOLED = (
        503,
        "{tool} cannot run through a connection pooler; for this command, set DATABASE_URL to "
        "PostgreSQL's own address",
    )
    TOOL_FAILED = 503, "{tool} failed: {words}"
    # The API
    IDEMPOTENCY_KEY_REUSED = (
        422,
        "This Idempotency-Key was already used for other content; send this content with a new key",
    )
    IDEMPOTENCY_KEY_FORMAT = (
        422,
        "The Idempotency-Key must have 1 to 255 printable ASCII characters without spaces",
    )
    JSON_UNREADABLE = 400, "The body must be a JSON object"
    BODY_UNREADABLE = 400, "We could not read what your browser sent. Go back and send it again"
    BODY_TOO_LARGE = 413, "The request is too large. Send at most {limit}"
    FORM_EXPECTED = 415, "The body must be multipart/form-data"
    FORM_ENCODED_EXPECTED = 415, "The body must be application/x-www-form-urlencoded"
    JSON_EXPECTED = 415, "The body must be application/json"
    FIELD_UNKNOWN = 422, "This field is unknown; remove it"
    STATUS_UNKNOWN = 422, "The status must be PENDING or REACHED_OUT"
    PAGE_NUMBER = 422, "The page must be a whole number from 1 to {limit}"
    PAGE_SIZE = 422, "The size must be a whole number from 1 to {limit}"
    SORT_UNKNOWN = 422, "sort_by must be one of {choices}"
    SORT_DESC_UNKNOWN = 422, "sort_desc must be true or false"
    QUERY_TOO_LONG = 422, "The search must be {limit} characters or fewer"
    TEXT_EXPECTED = 422, "This must be text"
    # HTTP
    HOST_UNKNOWN = (
        400,
        "This site is not set up for this host name. Check the address, or ask the "
        "administrator to set BASE_URL",
    )
    HTTP_400 = 400, "The request could not be read. Go back, reload the page and send it again"
    HTTP_403 = 403, "You do not have permission to do this"
    HTTP_404 = 404, "Nothing was found at this address; check it and try again"
    HTTP_405 = 405, "This address does not accept this kind of request"
    HTTP_410 = 410, "This page has expired"
    HTTP_413 = (
        413,
        "Your submission is too large, so nothing was stored. Send a resume smaller than {limit}",
    )
    HTTP_415 = 415, "This address does not accept this media type"
    HTTP_416 = 416, "The requested range is outside the file"
    HTTP_422 = 422, "Some values in the request were not accepted"
    HTTP_429 = (
        429,
        "Too many attempts. Wait {wait} and send it again. "
        "Everything you typed is still in the form",
    )
    HTTP_500 = (
        500,
        "Something went wrong on our side, and the error was logged. "
        "Everything you sent before is safe",
    )
    HTTP_503 = 503, "We cannot do this right now; try again in a minute"
