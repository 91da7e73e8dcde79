"""Debian's nginx with the configuration of deploy/nginx.conf, without TLS."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.servers.gunicorn import ROOT
from tests.servers.ports import HOST, free_port, listens

# Debian installs nginx there, and few users have it in their PATH.
PATH = f"{os.environ['PATH']}:/usr/sbin"
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


class Nginx:
    """Starts at once; `url` leads through it to the application on a port of this machine."""

    def __init__(self, application_port: int) -> None:
        port = free_port()
        self.url = f"http://{HOST}:{port}"
        self._folder = Path(tempfile.mkdtemp(prefix="nginx"))
        configuration = (ROOT / "deploy" / "nginx.conf").read_text()
        # Without the server that only redirects to TLS, and without TLS.
        configuration = re.sub(
            r"server \{\s+listen 80;.+?\n\}\n", "", configuration, flags=re.DOTALL
        )
        configuration = re.sub(r"\n\s+(ssl_|listen \[).+", "", configuration)
        configuration = configuration.replace("listen 443 ssl http2;", f"listen {HOST}:{port};")
        configuration = configuration.replace("127.0.0.1:8000", f"{HOST}:{application_port}")
        configuration = configuration.replace("/var/log/nginx", str(self._folder))
        settings = self._folder / "nginx.conf"
        settings.write_text(FRAME.format(folder=self._folder, configuration=configuration))
        program = shutil.which("nginx", path=PATH)
        assert program, "The tests need nginx: apt-get install nginx"
        log = self._folder / "log"
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                [program, "-c", str(settings), "-e", str(log)], stdout=file, stderr=file
            )
        while not listens(port):
            assert self._process.poll() is None, log.read_text()
            time.sleep(0.02)

    def close(self) -> None:
        """Stop nginx and remove its folder."""
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self._folder)
