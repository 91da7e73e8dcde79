"""The peer's e-mails, sent after the response over connections that stay open."""

import os
from email.message import EmailMessage

import aiosmtplib

from .tables import Lead

ATTORNEY, SENDER = "attorney@example.com", "intake@example.com"
HOST, PORT = os.environ.get("SMTP_HOST"), int(os.environ.get("SMTP_PORT", "25"))
# Connections without a task. Each task takes one, or opens another.
idle: list[aiosmtplib.SMTP] = []


async def write_to(lead: Lead) -> None:
    """Send both e-mails if a mail server is configured."""
    if HOST is None:
        return
    client = await _connection(HOST)
    try:
        for letter in _letters(lead):
            await client.send_message(letter)
    except aiosmtplib.SMTPException:
        client.close()
        raise
    idle.append(client)


async def close() -> None:
    """Close all connections."""
    while idle:
        await idle.pop().quit()


async def _connection(host: str) -> aiosmtplib.SMTP:
    while idle:
        client = idle.pop()
        if client.is_connected:
            return client
    client = aiosmtplib.SMTP(hostname=host, port=PORT)
    await client.connect()
    return client


def _letters(lead: Lead) -> list[EmailMessage]:
    letters = []
    for recipient, subject in (
        (lead.email, "We have your details"),
        (ATTORNEY, f"New lead: {lead.last_name}"),
    ):
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = SENDER, recipient, subject
        letter.set_content(f"{lead.first_name} {lead.last_name}, {lead.created_at:%d %b %Y}")
        letter.add_alternative(f"<p>{lead.first_name} {lead.last_name}</p>", subtype="html")
        letters.append(letter)
    return letters
