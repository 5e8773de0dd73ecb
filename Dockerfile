# Web, worker and beat of docker-compose.yml.
FROM python:3.11-slim-bookworm

WORKDIR /haven
ENV PYTHONUNBUFFERED=1 MALLOC_ARENA_MAX=2 \
    DJANGO_SETTINGS_MODULE=harbor.settings HAVEN_DATA=/data HAVEN_TOKEN_KEYS=/keys

COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check -r requirements.txt

COPY . .
# Compiled once, here: the containers run as somebody who may not write beside the sources.
RUN SECRET_KEY=$(head -c 32 /dev/urandom | base64) python -m deploy.prepare static && python -m compileall -q .

# The number of nginx's own user: the edge enters the sockets that these make.
USER 101:101
ENTRYPOINT ["python", "-m", "deploy.run"]
CMD ["gunicorn", "--config", "deploy/web.py", "harbor.wsgi"]
