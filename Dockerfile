# The image of leadapp. It contains only what production needs, and runs as an unprivileged user.
FROM python:3.13-slim-trixie AS packages
COPY deploy/requirements.lock .
RUN python -m venv /opt/leadapp \
    && /opt/leadapp/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes \
       -r requirements.lock

FROM python:3.13-slim-trixie
# pg_dump and pg_restore for flask backup and flask restore. Their version matches the PostgreSQL in compose.yaml.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin leadapp \
    && install --directory --owner=leadapp --group=leadapp --mode=0700 /data
COPY --from=packages /opt/leadapp /opt/leadapp
WORKDIR /app
COPY leadapp leadapp
COPY migrations migrations
COPY wsgi.py gunicorn.conf.py ./
# Compile the bytecode now, because the running container cannot write it.
RUN /opt/leadapp/bin/python -m compileall -q leadapp migrations wsgi.py gunicorn.conf.py
ENV PATH=/opt/leadapp/bin:$PATH FLASK_APP=leadapp INSTANCE_PATH=/data HOST=0.0.0.0 PORT=8000 \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER leadapp
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "-c", \
    "import os, urllib.request as web; web.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/health\", timeout=4)"]
CMD ["gunicorn", "wsgi:app"]
