# Shared by the scripts beside it; sourced, never run.

ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
TOOLS="$ROOT/.tools"
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" # a user's PATH often leaves these out

say() { printf '%s\n' "$*" >&2; }

# fail SENTENCE [LINE TO TYPE]: stop with what is wrong and the command that helps.
fail() {
    say "error: $1"
    [ $# -lt 2 ] || say "  type:  $2"
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

is_root() { [ "$(id -u)" = 0 ]; }

is_debian() { [ -r /etc/debian_version ] && have apt-get && have dpkg-query; }

# debian_mirror: the machine's own mirror of the main archive, without updates and security.
debian_mirror() {
    # shellcheck disable=SC2016 # apt expands them
    apt-get indextargets --format '$(REPO_URI) $(LABEL) $(COMPONENT)' 'Created-By: Packages' |
        awk '$2 == "Debian" && $3 == "main" { print $1; exit }'
}

# installed PACKAGE: true when dpkg has it completely installed.
installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Where our own engine lives (see scripts/docker-up).
ENGINE_HOME=${FASTFLOW_ENGINE_HOME:-/var/lib/fastflow-engine}
ENGINE_RUN=${FASTFLOW_ENGINE_RUN:-/run/fastflow-engine}
ENGINE_SOCKET="$ENGINE_RUN/docker.sock"
ENGINE_PIDFILE="$ENGINE_RUN/docker.pid"
ENGINE_USE="$ENGINE_RUN/in-use"

# use_engine: let nobody remove our own engine until this process, and what it becomes by exec, has ended.
use_engine() {
    [ -r "$ENGINE_USE" ] || return 0
    exec 8<"$ENGINE_USE"
    flock -n -s 8 || fail "the engine under $ENGINE_HOME is just being removed" "make docker"
}

# engine_pid: prints the process of our own engine, or fails. A pid file may outlive its process, and the
# number may be somebody else's by now.
engine_pid() {
    pid=$(cat "$ENGINE_PIDFILE" 2>/dev/null) || return 1
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "--pidfile $ENGINE_PIDFILE" || return 1
    printf '%s\n' "$pid"
}

# answers URL: true when a Docker engine answers there.
answers() { DOCKER_HOST=$1 timeout 5 docker version >/dev/null 2>&1; }

# engine_url: prints the address of the engine to use, or fails. An engine that the
# caller names wins, then the machine's own, then the one of `make docker`.
engine_url() {
    have docker || return 1
    if [ -n "${DOCKER_HOST:-}" ]; then
        answers "$DOCKER_HOST" && printf '%s\n' "$DOCKER_HOST"
        return
    fi
    for socket in /var/run/docker.sock "$ENGINE_SOCKET"; do
        if [ -S "$socket" ] && answers "unix://$socket"; then
            printf 'unix://%s\n' "$socket"
            return
        fi
    done
    return 1
}

# pinned TOOL: prints its paragraph of tools.lock, a requirements file of its own.
pinned() { awk -v RS= -v tool="$1==" 'index($0, tool) == 1' "$ROOT/tools.lock"; }

# Standing in for a registry: scripts/images, scripts/standin.
CACHE=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/fastflow
