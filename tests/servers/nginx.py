"""Debian's nginx with the configuration of deploy/nginx.conf, without TLS."""

import re

from tests.servers.gunicorn import ROOT
from tests.servers.ports import HOST, free_port
from tests.servers.program import Program

FRAME = """\
daemon off;
pid {folder}/pid;
error_log {folder}/log;
events {{}}
http {{
types {{}}
client_body_temp_path {folder}/body;
proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/fastcgi;
uwsgi_temp_path {folder}/uwsgi;
scgi_temp_path {folder}/scgi;
{configuration}
}}
"""


class Nginx(Program):
    """Starts at once; `url` leads through it to the application on a port of this machine."""

    def __init__(self, application_port: int) -> None:
        super().__init__("nginx")
        port = free_port()
        self.url = f"http://{HOST}:{port}"
        configuration = (ROOT / "deploy" / "nginx.conf").read_text()
        # Without the server that only redirects to TLS, and without TLS.
        configuration = re.sub(
            r"server \{\s+listen 80;.+?\n\}\n", "", configuration, flags=re.DOTALL
        )
        configuration = re.sub(r"\n\s+(ssl_|listen \[).+", "", configuration)
        configuration = configuration.replace("listen 443 ssl http2;", f"listen {HOST}:{port};")
        configuration = configuration.replace("127.0.0.1:8000", f"{HOST}:{application_port}")
        configuration = configuration.replace("/var/log/nginx", str(self.folder))
        settings = self.folder / "nginx.conf"
        settings.write_text(FRAME.format(folder=self.folder, configuration=configuration))
        self.start(port, "-c", str(settings), "-e", str(self.folder / "log"))
