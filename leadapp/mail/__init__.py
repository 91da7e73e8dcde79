"""E-mail: the queue, the messages and the SMTP client."""
