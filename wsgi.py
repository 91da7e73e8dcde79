"""What gunicorn serves; it never gives a debugger, whatever DEBUG says."""

from gunicorn.errors import AppImportError

from leadapp import create_app
from leadapp.config import ConfigurationError

try:
    app = create_app({"DEBUG": False})
except ConfigurationError as error:
    raise AppImportError(str(error)) from error  # which gunicorn tells without a traceback
