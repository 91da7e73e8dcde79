"""What gunicorn serves; it never gives a debugger, whatever DEBUG says."""

from leadapp import create_app

app = create_app({"DEBUG": False})
