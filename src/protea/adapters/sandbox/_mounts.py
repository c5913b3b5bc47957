"""Which folder a command sees how: the file-system half of a bubblewrap policy, as mounts in order.

Called by `bubblewrap`. A later mount covers an earlier one, so they are ordered by depth: what is said of a folder
holds until something is said of a folder in it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable, Mapping
from typing import Literal

import msgspec

from protea.adapters.sandbox._stand_ins import Kind
from protea.adapters.sandbox._survey import Survey
from protea.domain.pattern import regex
from protea.domain.permission.paths import SECRET_AT_HOME, beneath

How = Literal["absent", "link", "write", "read", "private", "empty", "refused"]
"""`absent`: it is not there, and nothing in it that is not named. `link`: a link as it is outside. `private`: an empty
folder of the command's own, writable, gone with it. `empty`: one that stays empty. `refused`: a file that cannot be
opened. The first two, `private` and `empty` are cheap; for each of the others bubblewrap reads the table of mounts,
which takes it 0.2 ms and more."""


class Mount(msgspec.Struct, frozen=True):
    path: str
    how: How
    size: int = 0
    """Bytes a private folder may hold."""


ABSENT = ("/", "/home", "/root", "/run", "/mnt", "/media", "/lost+found", "/boot", "/proc", "/sys", "/dev")
"""Other people's and the system's own: sockets of daemons lie in /run, what was plugged in in /media."""
EMPTY = ("/var/log", "/var/spool", "/var/mail", "/var/backups")
HIDDEN = (
    *("/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/sudoers", "/etc/sudoers.d"),
    *("/etc/ssl/private", "/etc/pki/tls/private", "/etc/kubernetes", "/etc/docker", "/etc/NetworkManager"),
    *("/etc/wireguard", "/etc/openvpn", "/etc/krb5.keytab", "/etc/letsencrypt", "/etc/ppp"),
    *("/var/lib/docker", "/var/lib/containerd", "/var/lib/kubelet", "/var/lib/postgresql", "/var/lib/mysql"),
    *("/var/lib/private", "/var/lib/NetworkManager", "/var/lib/systemd", "/var/lib/sss"),
)
"""Where we may read them, and mostly root may."""
SHOWN = ("/sys/devices/system", "/run/current-system", "/run/opengl-driver", "/run/booted-system")
"""How many processors there are; and NixOS keeps programs in /run."""
TOOLCHAINS = tuple(
    """
    bin .local/bin .local/lib .local/pipx .local/share/uv .local/share/pipx .local/share/pnpm .local/share/mise
    .local/share/fnm .local/share/rtx .local/share/virtualenvs .local/state/nix .nix-profile .nix-defexpr
    .cargo/bin .cargo/env .cargo/registry .cargo/git .cargo/config.toml .cargo/config .rustup
    .nvm .fnm .volta .bun .deno .asdf .mise .proto .pyenv .rbenv .rvm .goenv .nodenv .sdkman .jenv .ghcup .opam
    .stack .cabal .juliaup .julia .dotnet .elan .foundry .swiftly .linuxbrew go sdk
    anaconda3 miniconda3 miniforge3 mambaforge micromamba .conda .m2/repository .gradle/caches .gradle/wrapper
    .ivy2/cache .config/git/ignore .config/git/attributes .gitignore .gitignore_global .gitattributes
    .config/pip/pip.conf.d .editorconfig .tool-versions .python-version .node-version .nvmrc
    """.split()  # noqa: SIM905 - as a list it would be a page of quotes
)
"""Of a home: programs, libraries and caches of packages. None of these holds keys."""
STAND_INS = (
    *(".protea", ".mcp.json", ".agent", ".agents", ".claude", ".codex", ".gemini", ".cursor", ".vscode", ".idea"),
    *(".husky", ".devcontainer", ".cargo", ".mvn", ".envrc", ".npmrc", ".pre-commit-config.yaml", ".gitmodules"),
)
"""Names at the top of a workspace that steer other programs as soon as they exist."""


class Places(msgspec.Struct, frozen=True):
    """What mounts are made from. All paths absolute and real."""

    home: str
    protea_home: str
    roots: tuple[str, ...]
    """The workspace."""
    writable: tuple[str, ...]
    readable: tuple[str, ...]
    environment: Mapping[str, str]
    network: bool
    env_files: bool
    """Whether `.env` files may be read."""
    tmp_size: int
    home_size: int


def outside(places: Places) -> list[Mount]:
    """Everything but the workspace: hidden, private, and what of the home is shown."""
    mounts = [Mount(path, "absent") for path in ABSENT]
    for name in _names("/"):
        path = f"/{name}"
        if os.path.islink(path):
            mounts.append(Mount(path, "link"))
        elif path not in ABSENT and path != "/tmp" and _names(path):
            mounts.append(Mount(path, "read"))
    keys = [f"/etc/ssh/{name}" for name in _names("/etc/ssh") if name.endswith("_key")]
    mounts += [Mount(path, "empty") for path in EMPTY if os.path.isdir(path) and not os.path.islink(path)]
    mounts += [_hidden(path) for path in (*HIDDEN, *keys) if os.access(path, os.R_OK)]
    mounts += [Mount(path, "private", places.tmp_size) for path in _temporary(places)]
    mounts += [Mount(path, "read") for path in SHOWN if os.path.exists(path)]
    if places.network:
        resolver = os.path.realpath("/etc/resolv.conf")
        if resolver.startswith("/run/") and os.path.exists(resolver):
            mounts.append(Mount(resolver, "read"))
    if places.home != "/":
        mounts.append(Mount(places.home, "private", places.home_size))
        mounts += [Mount(path, "read") for path in _toolchains(places)]
    if os.path.isdir(places.protea_home):
        mounts.append(Mount(places.protea_home, "empty"))
    return mounts


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _temporary(places: Places) -> Iterable[str]:
    found = {os.path.realpath(path) for path in ("/tmp", "/var/tmp") if os.path.isdir(path)}
    own = places.environment.get("TMPDIR", "")
    if os.path.isabs(own) and os.path.isdir(own):
        real = os.path.realpath(own)
        covers = any(beneath(each, real) for each in (*places.roots, places.home, "/usr", "/etc"))
        inside = any(beneath(real, each) for each in (*places.roots, *found))
        if not covers and not inside:
            found.add(real)
    return sorted(found)


def _toolchains(places: Places) -> Iterable[str]:
    found = [f"{places.home}/{name}" for name in TOOLCHAINS]
    for name, value in places.environment.items():
        for path in value.split(":"):
            if not path.startswith(places.home.rstrip("/") + "/"):
                continue
            if name == "PATH":
                # `~/node/bin` needs `~/node/lib`; of `~/bin` and `~/.local/bin` only they themselves are meant.
                above = os.path.dirname(path.rstrip("/"))
                whole = os.path.basename(path.rstrip("/")) in ("bin", "shims", "sbin")
                found.append(above if whole and above not in (places.home, f"{places.home}/.local") else path)
            elif name in _FOLDER_VARIABLES:
                found.append(path)
    secrets = [f"{places.home}/{name}" for name in SECRET_AT_HOME]
    for path in dict.fromkeys(found):
        real = os.path.realpath(path)
        if not os.path.exists(real) or beneath(places.home, real):
            continue
        if any(beneath(real, secret) or beneath(secret, real) for secret in secrets if os.path.lexists(secret)):
            continue
        yield path if real == path else real


_FOLDER_VARIABLES = frozenset(
    """
    VIRTUAL_ENV PYENV_ROOT CONDA_PREFIX MAMBA_ROOT_PREFIX NVM_DIR NVM_BIN VOLTA_HOME PNPM_HOME GOPATH GOROOT GOMODCACHE
    RUSTUP_HOME JAVA_HOME GEM_HOME GEM_PATH RBENV_ROOT DOTNET_ROOT BUN_INSTALL ANDROID_HOME PYTHONPATH NODE_PATH
    SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS LD_LIBRARY_PATH
    """.split()  # noqa: SIM905 - as a list it would be a page of quotes
)


def workspace(
    places: Places, root: str, found: Survey, standing: Container[str]
) -> tuple[list[Mount], list[tuple[str, Kind]]]:
    """A folder of the workspace: its mounts, and the stand-ins these need. Some may be `standing` already."""
    writable = any(beneath(root, each) for each in places.writable)
    mounts = [Mount(root, "write" if writable else "read")]
    wanted: list[tuple[str, Kind]] = []
    if beneath(places.home, root):
        mounts += [_hidden(f"{root}/{name}") for name in SECRET_AT_HOME if os.path.lexists(f"{root}/{name}")]
    if not places.env_files:
        mounts += [Mount(path, "refused") for path in found.secrets if os.path.isfile(path)]
    if not writable:
        return mounts, wanted
    for path in found.guarded:
        real = os.path.realpath(path)
        if beneath(real, root) and real != root and os.path.exists(real):
            mounts.append(Mount(real, "read"))
    for path in found.repositories:
        mounts += _repository(path, root, places.home, wanted)
    # Looked at anew for every command, however old the survey is.
    if f"{root}/.git" not in found.repositories and os.path.lexists(f"{root}/.git"):
        mounts += _repository(f"{root}/.git", root, places.home, wanted)
    for name in (*STAND_INS, ".git"):
        path = f"{root}/{name}"
        if not os.path.lexists(path) or (path in standing and not _names(path)):
            wanted.append((path, "folder"))
        elif name != ".git" and not os.path.islink(path):
            mounts.append(Mount(path, "read"))
    mounts += [Mount(path, "empty" if kind == "folder" else "read") for path, kind in wanted]
    return mounts, wanted


def _hidden(path: str) -> Mount:
    return Mount(path, "empty" if os.path.isdir(path) else "refused")


# ── git ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _repository(git: str, root: str, home: str, wanted: list[tuple[str, Kind]]) -> list[Mount]:
    """A repository stays usable, but what git runs on somebody else's behalf is read-only: hooks, configuration,
    attributes, and `commondir`, which would make git look for all of these elsewhere."""
    mounts: list[Mount] = []
    # A mount point cannot be renamed away; neither must the folders be in which a nested repository lies.
    above = os.path.dirname(git)
    while above != root and beneath(above, root):
        mounts.append(Mount(above, "write"))
        above = os.path.dirname(above)
    if os.path.islink(git):
        real = os.path.realpath(git)
        if not beneath(real, root) or real == root:
            return mounts
        git = real
    if os.path.isfile(git):
        return [*mounts, Mount(git, "read"), *_linked(git, root, home, wanted)]
    if not os.path.isfile(f"{git}/HEAD"):
        return [*mounts, Mount(git, "read")]
    return [*mounts, Mount(git, "write"), *_git_folder(git, root, home, wanted)]


def _git_folder(git: str, root: str, home: str, wanted: list[tuple[str, Kind]]) -> list[Mount]:
    mounts: list[Mount] = []

    def guard(name: str, kind: Kind) -> None:
        path = f"{git}/{name}"
        if os.path.islink(path):
            real = os.path.realpath(path)
            if beneath(real, root) and os.path.exists(real):
                mounts.append(Mount(real, "read"))
        elif os.path.exists(path):
            mounts.append(Mount(path, "read"))
        else:
            wanted.append((path, kind))

    guard("hooks", "folder")
    guard("config", "file")
    if not os.path.isdir(f"{git}/info"):
        wanted.append((f"{git}/info", "folder"))
    else:
        guard("info/attributes", "file")
    guard("commondir", "dot")
    if os.path.lexists(f"{git}/config.worktree") or "worktreeconfig" in text(f"{git}/config").lower():
        guard("config.worktree", "file")
    for path in _named_by_config(git, home):
        real = os.path.realpath(path)
        if beneath(real, root) and real != root and os.path.exists(real):
            mounts.append(Mount(real, "read"))
    for name in _names(f"{git}/worktrees"):
        for part in ("commondir", "gitdir", "config.worktree"):
            if os.path.isfile(f"{git}/worktrees/{name}/{part}"):
                mounts.append(Mount(f"{git}/worktrees/{name}/{part}", "read"))
    for module in _modules(f"{git}/modules"):
        mounts += [Mount(module, "write"), *_git_folder(module, root, home, wanted)]
    return mounts


def _modules(folder: str, depth: int = 4) -> Iterable[str]:
    for name in _names(folder):
        path = f"{folder}/{name}"
        if os.path.isfile(f"{path}/HEAD"):
            yield path
        elif depth and os.path.isdir(path) and not os.path.islink(path):
            yield from _modules(path, depth - 1)


def _linked(file: str, root: str, home: str, wanted: list[tuple[str, Kind]]) -> list[Mount]:
    """The repository of a linked worktree lies outside: shown writable, guarded the same. Only where it names this
    worktree itself, which a command cannot have written."""
    said = text(file).strip()
    if not said.startswith("gitdir: "):
        return []
    git = os.path.realpath(os.path.join(os.path.dirname(file), said.removeprefix("gitdir: ")))
    if beneath(git, root):
        return []  # a submodule's: it was found where the repository's own folder was
    if os.path.realpath(text(f"{git}/gitdir").strip() or "/") != os.path.realpath(file):
        return []
    common = os.path.realpath(os.path.join(git, text(f"{git}/commondir").strip() or "."))
    if not beneath(git, common) or not os.path.isfile(f"{common}/HEAD"):
        return []
    return [Mount(common, "write"), *_git_folder(common, common, home, wanted)]


_NAMED = regex(r'^\s*(?:hookspath|path|fsmonitor|attributesfile)\s*=\s*"?([^"#;\n]+)', re.IGNORECASE | re.MULTILINE)


def _named_by_config(git: str, home: str) -> Iterable[str]:
    """Files and folders a repository's configuration takes hooks or more configuration from."""
    for match in _NAMED.finditer(text(f"{git}/config")):
        path = match[1].strip()
        if path.lower() in ("true", "false", ""):
            continue
        path = home + path[1:] if path.startswith("~/") else path
        yield os.path.join(git, path)
        yield os.path.join(os.path.dirname(git), path)


def text(path: str) -> str:
    """What a file says, or nothing."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read(1 << 20)
    except OSError:
        return ""


# ── in order ────────────────────────────────────────────────────────────────────────────────────────────────────────


def ordered(mounts: Iterable[Mount], places: Places) -> list[Mount]:
    """By depth; of two for one path the stricter, except that the workspace wins over what would hide all of it."""
    named = {*places.roots, *places.writable, *places.readable}
    chosen: dict[str, Mount] = {}
    for mount in mounts:
        before = chosen.get(mount.path)
        if before is None or mount.path in named or _STRICTNESS[mount.how] > _STRICTNESS[before.how]:
            chosen[mount.path] = mount
    return sorted(chosen.values(), key=lambda mount: mount.path.count("/") if mount.path != "/" else 0)


_STRICTNESS: dict[str, int] = {"absent": -2, "link": -1, "write": 0, "read": 1, "private": 2, "empty": 3, "refused": 4}


def words(mounts: Iterable[Mount]) -> list[str]:
    """The same in bubblewrap's language."""
    spoken: list[str] = []
    for mount in mounts:
        if mount.how == "absent":
            continue
        if mount.how == "link":
            spoken += ["--symlink", os.readlink(mount.path), mount.path]
        elif mount.how == "write":
            spoken += ["--bind", mount.path, mount.path]
        elif mount.how == "read":
            spoken += ["--ro-bind", mount.path, mount.path]
        elif mount.how == "refused":
            # Bound without the right to open devices: it can neither be read nor written.
            spoken += ["--ro-bind", os.devnull, mount.path]
        elif mount.how == "private":
            mode = "0700" if mount.path not in ("/tmp", "/var/tmp") else "1777"
            spoken += ["--perms", mode, "--size", str(mount.size), "--tmpfs", mount.path]
        else:
            spoken += ["--perms", "0555", "--size", "4096", "--tmpfs", mount.path]
    return spoken
