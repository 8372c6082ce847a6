# The server in an image: no compiler, no pip, no root, and no socket of any daemon.
FROM python:3.13-slim AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements/ requirements/
RUN python -m venv --without-pip /app \
    && pip --python /app/bin/python install --no-deps --require-hashes -r requirements/run.txt \
    && pip install --no-deps --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE app.yml ./
COPY bot/ bot/
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip --python /app/bin/python install --no-deps --no-index /wheels/*.whl \
    && mkdir /data

FROM python:3.13-slim
COPY --from=build /app /app
COPY --from=build --chown=10001:10001 /data /data
ENV PATH=/app/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=3000 \
    DATA_DIR=/data \
    SQLITE_TMPDIR=/data
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=4)"]
ENTRYPOINT ["sockgate"]
CMD ["serve"]
