# syntax=docker/dockerfile:1

FROM python:3.11-slim-bookworm AS build
RUN pip install --no-cache-dir "uv>=0.9,<1"
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-dev --no-cache --extra s3 --extra sentry
ENV PATH=/app/.venv/bin:$PATH
COPY manage.py ./
COPY config config
COPY accounts accounts
COPY inventory inventory
COPY leads leads
COPY analytics analytics
COPY fixtures fixtures
# Collecting files needs no secret and no database, but the settings insist on both outside of development.
RUN ENVIRONMENT=staging SECRET_KEY=build FIELD_ENCRYPTION_KEYS=build DATABASE_URL=sqlite://:memory: \
    python manage.py collectstatic --no-input

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home forecourt \
    && install -d -o forecourt -g forecourt /app/var /app/var/media
WORKDIR /app
COPY --from=build /app /app
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ENVIRONMENT=production \
    BIND=0.0.0.0:8000
USER forecourt
VOLUME /app/var/media
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["python", "-m", "config.ops.probe"]
CMD ["gunicorn", "-c", "python:config.gunicorn", "config.wsgi"]
