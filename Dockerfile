FROM python:3.12-slim-bookworm AS build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
WORKDIR /src
COPY requirements-uv.lock requirements-prod.lock ./
# Wheels only: what has none would need a compiler, and says so here instead of bringing one in.
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements-uv.lock \
    && uv venv /opt/parley \
    && uv pip install --python /opt/parley/bin/python --require-hashes --only-binary :all: -r requirements-prod.lock
COPY . .
# requirements.lock holds the hashes of the build backend too.
RUN uv build --wheel --build-constraints requirements.lock --require-hashes --out-dir /tmp/wheel \
    && uv pip install --python /opt/parley/bin/python --no-deps /tmp/wheel/*.whl

FROM python:3.12-slim-bookworm
RUN groupadd --gid 10001 parley \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin parley
COPY --from=build /opt/parley /opt/parley
ENV PATH=/opt/parley/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 METRICS_HOST=0.0.0.0 METRICS_PORT=9100
WORKDIR /srv
USER 10001:10001
EXPOSE 9100
HEALTHCHECK --interval=15s --timeout=10s --retries=4 --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9100/healthz', timeout=8)"]
CMD ["parley", "--help"]
