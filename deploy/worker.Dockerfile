# The image every run executes in: Python, uv and the entry program. Builds without BuildKit.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS tools
COPY tools.lock /tmp/tools.lock
RUN awk -v RS= 'index($0, "uv==") == 1' /tmp/tools.lock >/tmp/uv.lock \
    && python3 -m pip install --quiet --no-cache-dir --no-deps --require-hashes --target /tools -r /tmp/uv.lock

FROM ${BASE}
# Packages may be named by their Git repository; runs may find it useful too. nft closes the networks of runs.
RUN { command -v git && command -v nft; } >/dev/null \
    || { apt-get update -qq && apt-get install -qq --yes --no-install-recommends git nftables >/dev/null \
    && rm -rf /var/lib/apt/lists/*; }
# Who runs are; the setting FASTFLOW_RUN_UID says the same. No person has it, no package, and no service of systemd.
# The next one writes what they are started from, and is nobody else.
ARG RUN_UID=61100
RUN groupadd --gid "$RUN_UID" worker \
    && useradd --uid "$RUN_UID" --gid "$RUN_UID" --no-create-home --home-dir /tmp --shell /usr/sbin/nologin worker \
    && mkdir -p /app /uv /cache \
    && chown "$RUN_UID:$RUN_UID" /app /cache \
    && chown "$((RUN_UID + 1)):$((RUN_UID + 1))" /uv
COPY --from=tools /tools/bin/uv /usr/local/bin/uv
COPY services/runner/fastflow_runner/entry/ /usr/local/lib/fastflow/entry/
# A read-only root caches no byte code later: the library and the entry program are compiled now.
RUN stdlib=$(python3 -I -c 'import sysconfig; print(sysconfig.get_path("stdlib"))') \
    && python3 -I -m compileall -q -x '/lib2to3/|/tests?/|-packages/' "$stdlib" /usr/local/lib/fastflow
# The system's certificates: a base image that trusts a private authority is then enough.
ENV HOME=/tmp \
    LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    UV_LINK_MODE=hardlink \
    UV_PYTHON_PREFERENCE=only-system
LABEL fastflow.uid=$RUN_UID
USER $RUN_UID:$RUN_UID
WORKDIR /app
ENTRYPOINT ["python3", "-I", "/usr/local/lib/fastflow/entry"]
