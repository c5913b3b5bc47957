"""Which variables of Protea's own environment a command may see. Pure; used by whatever starts commands.

An allow-list, because nobody can list the names of all secrets; and among what it allows, names that look like
secrets are left out all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

ALLOWED = frozenset(
    """
    PATH HOME USER LOGNAME SHELL LANG LANGUAGE TZ TMPDIR TMP TEMP HOSTNAME
    XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_RUNTIME_DIR
    VIRTUAL_ENV PYTHONPATH PYTHONHOME PYTHONUTF8 PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX PYTHONWARNINGS
    PYENV_ROOT PYENV_VERSION UV_CACHE_DIR PIP_CACHE_DIR PIP_CONFIG_FILE
    CONDA_PREFIX CONDA_DEFAULT_ENV CONDA_EXE MAMBA_ROOT_PREFIX
    NODE_PATH NODE_ENV NODE_OPTIONS NVM_DIR NVM_BIN VOLTA_HOME PNPM_HOME COREPACK_HOME NPM_CONFIG_CACHE
    GOPATH GOROOT GOBIN GOCACHE GOMODCACHE GOPROXY GOFLAGS GOTOOLCHAIN CGO_ENABLED
    CARGO_HOME RUSTUP_HOME CARGO_TARGET_DIR RUSTFLAGS RUSTUP_TOOLCHAIN
    JAVA_HOME M2_HOME MAVEN_OPTS GRADLE_USER_HOME GRADLE_OPTS ANDROID_HOME
    GEM_HOME GEM_PATH BUNDLE_PATH RBENV_ROOT RUBYLIB PERL5LIB COMPOSER_HOME DOTNET_ROOT DENO_DIR BUN_INSTALL
    CC CXX CPP LD AR CFLAGS CXXFLAGS CPPFLAGS LDFLAGS MAKEFLAGS PKG_CONFIG_PATH CMAKE_PREFIX_PATH
    LD_LIBRARY_PATH DYLD_LIBRARY_PATH LIBRARY_PATH CPATH C_INCLUDE_PATH SDKROOT
    NIX_PATH NIX_PROFILES NIX_SSL_CERT_FILE HOMEBREW_PREFIX HOMEBREW_CELLAR HOMEBREW_REPOSITORY
    SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS
    HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy
    CI NO_COLOR SOURCE_DATE_EPOCH DOCKER_HOST WSL_DISTRO_NAME
    """.split()  # noqa: SIM905 - as a list it would be a page of quotes
)
ALLOWED_BEGINNINGS = ("LC_",)
SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSW", "CREDENTIAL", "AUTH", "COOKIE")
FIXED = {
    "TERM": "dumb",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "MANPAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",  # looking at a repository (`git status`) writes nothing into it
    # Else `ü.txt` is told as "\\303\\274.txt", which is no path of anything.
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "core.quotePath",
    "GIT_CONFIG_VALUE_0": "false",
    "DEBIAN_FRONTEND": "noninteractive",
    "PROTEA": "1",
}
"""Nobody can answer a pager or a password prompt. `NO_COLOR` is not set: output is no terminal, so colour is off as it
is, and tests of programs that draw in colour must see what they see elsewhere. `PROTEA` tells a script who runs it."""


def for_commands(environment: Mapping[str, str], keep: Sequence[str] = ()) -> dict[str, str]:
    """The environment of a command: what is allowed of `environment`, the names in `keep` whatever they look like, and
    `FIXED`. A proxy address that holds a password is left out unless kept."""
    chosen = {
        name: value
        for name, value in environment.items()
        if name in keep or (_allowed(name) and not (name.lower().endswith("_proxy") and "@" in value))
    }
    return {**chosen, **FIXED}


def _allowed(name: str) -> bool:
    if any(word in name.upper() for word in SECRET_WORDS):
        return False
    return name in ALLOWED or name.startswith(ALLOWED_BEGINNINGS)
