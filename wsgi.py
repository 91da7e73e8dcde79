"""The WSGI application for gunicorn, with the debugger off regardless of the DEBUG setting."""

import sys

from leadapp import create_app
from leadapp.config import ConfigurationError

try:
    app = create_app({"DEBUG": False})
except ConfigurationError as error:
    sys.exit(str(error))
