# One image for every role: web, worker, beat and migrations differ in their command alone.
FROM node:24-slim AS browser
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM python:3.13-slim AS python
WORKDIR /app
COPY requirements/base.txt requirements/base.txt
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes --requirement requirements/base.txt

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    BIND=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/data \
    STATIC_ROOT=/app/collected
RUN useradd --create-home --uid 10001 chatsite && install -d -o chatsite -g chatsite /data /data/media
WORKDIR /app
COPY --from=python /venv /venv
COPY . .
# The key is for this one command: a start without a SECRET_KEY of its own is refused.
RUN --mount=type=bind,from=browser,source=/app/node_modules,target=/app/node_modules \
    python scripts/messages.py compile \
    && SECRET_KEY=for-collecting-files-only python manage.py collectstatic --noinput
USER chatsite
VOLUME /data
EXPOSE 8000
# Each role drains on SIGTERM, so it must be the process that receives it.
STOPSIGNAL SIGTERM
CMD ["python", "-m", "chatsite.web"]
