"""The WSGI application for gunicorn, with the debugger off regardless of the DEBUG setting."""

from leadapp import create_app

app = create_app({"DEBUG": False})
