# The image every run executes in: Python, uv and the entry program. Builds without BuildKit.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS tools
COPY tools.lock /tmp/tools.lock
RUN awk -v RS= 'index($0, "uv==") == 1' /tmp/tools.lock >/tmp/uv.lock \
    && python3 -m pip install --quiet --no-cache-dir --no-deps --require-hashes --target /tools -r /tmp/uv.lock

FROM ${BASE}
# A read-only root cannot cache byte code later: the interpreter's library is compiled now.
RUN groupadd --gid 1001 worker \
    && useradd --uid 1001 --gid 1001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin worker \
    && mkdir -p /app /uv \
    && chown 1001:1001 /app /uv \
    && python3 -I -m compileall -q "$(python3 -I -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
COPY --from=tools /tools/bin/uv /usr/local/bin/uv
COPY services/runner/fastflow_runner/entry/ /usr/local/lib/fastflow/entry/
# The system's certificates, so that a base image that trusts a private authority is enough.
ENV HOME=/tmp \
    LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    UV_LINK_MODE=hardlink \
    UV_PYTHON_PREFERENCE=only-system
USER 1001:1001
WORKDIR /app
ENTRYPOINT ["python3", "-I", "/usr/local/lib/fastflow/entry"]
