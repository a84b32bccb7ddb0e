"""Names of environment variables that whoever asks for a run cannot have: one list for every door. Pure.

A parameter reaches the script as the environment variable of its name, and much is read from the environment before the
script's first line: by the kernel's loader, the C library, interpreters, shells, and by whatever the script starts. Who
may set such a variable does not give the script a value, he replaces the script, and gets its secrets.

The list holds what decides which code runs, what is read as configuration, and where connections go. Whole families are
closed by their prefix, for the next release of a program brings the next variable. It knows programs, and not the
packages of a pipeline: what those read is closed by a pipeline that declares its params, for it takes no others.

Capitals count, as they do for those who read the variables, but where a program says otherwise (`any_case`).
"""

import re
from typing import Literal, NamedTuple

PROTECTED = frozenset(
    {
        "FASTFLOW_RUN_ID",
        "FASTFLOW_PIPELINE",
        "FASTFLOW_ATTEMPT",
        "FASTFLOW_TRIGGER",
        "FASTFLOW_ROUTE_FILE",
        "FASTFLOW_RESULT_FILE",
        "FASTFLOW_ARTIFACTS_DIR",
    }
)
"""Variables every run gets and nobody changes, the pipeline's own files included."""


class Rule(NamedTuple):
    """Names that are closed for one reason; a star at one end stands for anything."""

    names: str
    """Separated by blanks."""
    why: Literal["ours", "code", "traffic"]
    reader: str
    """Who reads them, as the sentence says it."""
    source: str
    any_case: bool = False


def _pattern(rule: Rule) -> str:
    names = "|".join(re.escape(name).replace(r"\*", r"[\s\S]*") for name in rule.names.split())
    return f"(?i:{names})" if rule.any_case else f"(?:{names})"


_SUDO = "sudo, plugins/sudoers/env.c: initial_badenv_table"
_GLIBC = "glibc, sysdeps/generic/unsecvars.h, and ld.so(8)"

RULES = (
    Rule("FASTFLOW_*", "ours", "Fast-Flow", "docs/configuration.md"),
    # What is loaded into a process before its first instruction.
    Rule("LD_* DYLD_* LIBPATH SHLIB_PATH", "code", "the dynamic linker", f"{_GLIBC}; dyld(1); {_SUDO}"),
    Rule("GCONV_PATH LOCPATH NLSPATH GETCONF_DIR GLIBC_TUNABLES MALLOC_*", "code", "the C library", _GLIBC),
    Rule("TMPDIR TZDIR", "code", "the C library", _GLIBC),
    Rule("TERMINFO TERMINFO_DIRS TERMPATH TERMCAP", "code", "terminal programs", _SUDO),
    Rule("OPENSSL_*", "code", "OpenSSL, which loads engines and modules", "openssl-env(7)"),
    Rule("PKCS11_* P11_KIT_*", "code", "PKCS #11, which loads modules", "p11-kit(8)"),
    # Interpreters. PYTHONWARNINGS imports a module by name, and one of the standard library starts BROWSER.
    Rule("PYTHON*", "code", "Python", "https://docs.python.org/3/using/cmdline.html#environment-variables"),
    Rule("PYDEVD_* PYTEST_* COVERAGE_* VIRTUAL_ENV CONDA_*", "code", "tools for Python", "pytest, coverage.py, conda"),
    Rule("IPYTHON* JUPYTER_* MPL* MATPLOTLIBRC", "code", "notebooks", "ipython, jupyter, matplotlib"),
    Rule("PERL*", "code", "Perl", f"perlrun(1); {_SUDO}"),
    Rule("RUBY* GEM_* BUNDLE_*", "code", "Ruby", f"ruby(1), gem(1); {_SUDO}"),
    Rule("NODE_* DENO_* BUN_*", "code", "JavaScript", "https://nodejs.org/api/cli.html#environment-variables_1"),
    Rule("JAVA_* JDK_* CLASSPATH MAVEN_* GRADLE_*", "code", "Java", f"java(1), JVM TI: JAVA_TOOL_OPTIONS; {_SUDO}"),
    Rule("PHPRC PHP_* LUA_* JULIA_* R_* RSTUDIO_*", "code", "another interpreter", "php(1), lua(1), julia(1), R(1)"),
    Rule("DOTNET_* CORECLR_* COMPLUS_* COR_*", "code", ".NET", "learn.microsoft.com: DOTNET_STARTUP_HOOKS"),
    # Shells.
    Rule("PATH PATHEXT CDPATH FPATH IFS ENV COMSPEC", "code", "every shell", f"sh(1); {_SUDO}"),
    Rule("BASH* SHELL* PS0 PS1 PS2 PS3 PS4 GLOBIGNORE", "code", "bash", f"bash(1); {_SUDO}"),
    Rule("PROMPT_COMMAND ZDOTDIR NULLCMD READNULLCMD TMPPREFIX", "code", "shells", f"bash(1), zsh(1); {_SUDO}"),
    # What programs start by themselves.
    Rule("BROWSER PAGER MANPAGER LESS*", "code", "what shows pages", "webbrowser and pydoc of Python, less(1)"),
    Rule("EDITOR VISUAL", "code", "what opens an editor", "environ(7), git-var(1)"),
    Rule("GIT_* SSH_* SVN_* HG* CVS_*", "code", "Git and SSH", "git(1): GIT_SSH_COMMAND; ssh(1): SSH_ASKPASS"),
    Rule("SUDO_* DOCKER_* KUBECONFIG GNUPGHOME", "code", "what holds keys or runs for others", "sudo(8), docker(1)"),
    Rule("UV_* PIP_* POETRY_* PDM_* PIPENV_*", "code", "installers of packages", "docs.astral.sh/uv, pip(1)"),
    Rule("NPM_* YARN_* PNPM_*", "code", "installers of packages", "npm-config(7)", any_case=True),
    Rule("CC CXX CPP AR LD LDSHARED RUSTC* CARGO_* CMAKE_* GO*FLAGS", "code", "builds", "sysconfig, cargo, cmake, go"),
    Rule("CFLAGS CXXFLAGS CPPFLAGS LDFLAGS MAKEFLAGS MAKEFILES", "code", "builds", "sysconfig, make(1)"),
    Rule("SETUPTOOLS_* DISTUTILS_*", "code", "builds of packages", "setuptools"),
    # Where programs look for their own settings, most of which name programs.
    Rule("HOME USERPROFILE APPDATA XDG_*", "code", "whoever has settings in the home folder", "XDG Base Directory"),
    Rule("AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE", "code", "clients of AWS", "credential_process"),
    Rule("ODBCINI ODBCINST* ODBCSYSINI TNS_ADMIN", "code", "database drivers", "unixODBC, Oracle"),
    # Redirects: no code of others, but others hear what is said, credentials included.
    Rule("*_PROXY PROXY", "traffic", "most clients of HTTP", "curl(1), urllib.request.getproxies", any_case=True),
    Rule("SSL_CERT_* SSLKEYLOGFILE", "traffic", "TLS", "ssl.get_default_verify_paths, ssl.SSLContext.keylog_filename"),
    Rule("REQUESTS_CA_BUNDLE CURL_*", "traffic", "clients of HTTP", "requests, curl(1)"),
    Rule("AWS_CA_BUNDLE AWS_ENDPOINT_URL*", "traffic", "clients of AWS", "AWS SDK reference"),
    Rule("HOSTALIASES LOCALDOMAIN RES_OPTIONS RESOLV_*", "traffic", "the resolver", _GLIBC),
    Rule("NIS_PATH NETRC KRB5*", "traffic", "what finds accounts", f"{_GLIBC}; netrc, kerberos(7)"),
    Rule("PGSERVICEFILE PGSYSCONFDIR PGPASSFILE PGSSL*", "traffic", "PostgreSQL's library", "libpq"),
)


_ANY = re.compile("|".join(_pattern(rule) for rule in RULES))
_EACH = tuple((re.compile(_pattern(rule)), rule) for rule in RULES)


def rule_of(name: str) -> Rule | None:
    """The rule that closes a name; None for one that is open."""
    if _ANY.fullmatch(name) is None:
        return None
    return next(rule for pattern, rule in _EACH if pattern.fullmatch(name))
