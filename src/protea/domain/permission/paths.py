"""Paths as text: gitignore patterns with their anchors, and the places nobody may write or read unasked.

Everything here is told absolute paths and opens nothing; the adapter looks at the disk and asks twice, once for the
name that was given and once for the real one behind it.
"""

from __future__ import annotations

import posixpath
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

import msgspec

from protea.domain.permission.shell.lexer import INVISIBLE
from protea.domain.permission.shell.script import listed


class Anchors(msgspec.Struct, frozen=True):
    """What the relative parts of a rule or an argument stand on. All absolute."""

    root: str
    cwd: str
    """What `./` means in a rule: where the session began."""
    home: str
    protea_home: str = ""
    session: str = ""
    add_dirs: tuple[str, ...] = ()

    @property
    def roots(self) -> tuple[str, ...]:
        return (self.root, *self.add_dirs)


# -- globs -----------------------------------------------------------------------------------------------------------


def segment_matches(pattern: str, name: str) -> bool:
    """Whether `name` (no slash) matches a pattern of `*`, `?`, `[…]` and backslash. At worst quadratic, never worse."""
    if not any(char in pattern for char in "*?[\\"):
        return pattern == name
    p = n = 0
    star, mark = -1, 0
    while n < len(name):
        step = _one(pattern, p, name[n])
        if step > 0:
            p, n = p + step, n + 1
        elif p < len(pattern) and pattern[p] == "*":
            star, mark = p, n
            p += 1
        elif star >= 0:
            mark += 1
            p, n = star + 1, mark
        else:
            return False
    while p < len(pattern) and pattern[p] == "*":
        p += 1
    return p == len(pattern)


def _one(pattern: str, p: int, char: str) -> int:
    """How many characters of the pattern at `p` match the one `char`; 0 for none (a star included)."""
    if p >= len(pattern) or pattern[p] == "*":
        return 0
    here = pattern[p]
    if here == "?":
        return 1
    if here == "\\" and p + 1 < len(pattern):
        return 2 if pattern[p + 1] == char else 0
    if here == "[":
        q = p + 1
        negated = q < len(pattern) and pattern[q] in "!^"
        q += negated
        hit, first = False, q
        while q < len(pattern) and (pattern[q] != "]" or q == first):
            low = pattern[q + 1] if pattern[q] == "\\" and q + 1 < len(pattern) else pattern[q]
            q += 2 if pattern[q] == "\\" and q + 1 < len(pattern) else 1
            high = low
            if q + 1 < len(pattern) and pattern[q] == "-" and pattern[q + 1] != "]":
                high = pattern[q + 1]
                q += 2
            hit = hit or low <= char <= high
        if q < len(pattern):
            return q + 1 - p if hit != negated else 0
    return 1 if here == char else 0


def path_matches(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Whether the segments of `path`, or of a folder above it, match those of `pattern`; `**` is any number."""
    for part, name in zip(pattern, path, strict=False):
        # Most patterns start with the names of a place, and most paths are elsewhere.
        if part == "**" or any(char in part for char in "*?[\\"):
            break
        if part != name:
            return False
    reached = {0}
    for index in range(len(path) + 1):
        frontier = list(reached)
        while frontier:
            at = frontier.pop()
            if at == len(pattern) - 1 and pattern[at] == "**":
                # `a/**` is what lies in a, not a itself.
                if index < len(path):
                    return True
            elif at < len(pattern) and pattern[at] == "**" and at + 1 not in reached:
                reached.add(at + 1)
                frontier.append(at + 1)
        if len(pattern) in reached:
            return True
        if index == len(path):
            return False
        following = set()
        for at in reached:
            if pattern[at] == "**":
                following.add(at)
            elif segment_matches(pattern[at], path[index]):
                following.add(at + 1)
        if not following:
            return False
        reached = following
    return False


def segments(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)


def anchored(pattern: str, anchors: Anchors, generous: bool) -> tuple[tuple[str, ...], ...]:
    """The absolute patterns a rule's path stands for.

    `//x` from `/`, `~/x` from home, `/x` from the project's root, `./x` from where the session began, `a/x` from the
    root, `x` at any depth below the root. With `generous` (deny and ask) a lone name counts anywhere, and `/etc/x`,
    which people write for the absolute path, counts as that too.
    """
    folder = pattern.endswith("/") and pattern != "/"
    tail = ("**",) if folder else ()
    if pattern.startswith("//"):
        bases = [segments(pattern)]
    elif pattern == "~" or pattern.startswith("~/"):
        bases = [segments(anchors.home) + segments(pattern[1:])]
    elif pattern.startswith("/"):
        bases = [segments(anchors.root) + segments(pattern)]
        if generous:
            bases.append(segments(pattern))
    elif pattern == "." or pattern.startswith("./"):
        bases = [segments(anchors.cwd) + segments(pattern[1:])]
    else:
        parts = segments(pattern)
        deep = () if len(parts) > 1 or parts == ("**",) else ("**",)
        bases = [segments(root) + deep + parts for root in (anchors.roots if generous else (anchors.root,))]
        if generous and deep:
            bases.append(deep + parts)
        if generous and anchors.cwd != anchors.root:
            bases.append(segments(anchors.cwd) + deep + parts)
    return tuple(dict.fromkeys(_collapse(base) + tail for base in bases))


def _collapse(parts: tuple[str, ...]) -> tuple[str, ...]:
    done: list[str] = []
    for part in parts:
        if part == "..":
            del done[-1:]
        elif part != ".":
            done.append(part)
    return tuple(done)


# -- spelling --------------------------------------------------------------------------------------------------------


def folded(path: str) -> str:
    """`path` as the most forgiving file system reads it: case, composition, ignorable code points, NTFS streams."""
    if path.isascii():
        path = path.lower()
    else:
        path = unicodedata.normalize("NFC", path.casefold())
        path = "".join(c for c in path if unicodedata.category(c) != "Cf" and c not in INVISIBLE)
        path = unicodedata.normalize("NFC", path)
    if ":" in path or ". " in path or "./" in path or " /" in path or path.endswith((".", " ")):
        path = "/".join(_stem(part) for part in path.split("/"))
    return path


def _stem(part: str) -> str:
    if part in (".", ".."):
        return part
    part = part.split("::$", 1)[0]
    if part.endswith(":$data"):
        part = part[: -len(":$data")]
    return part.rstrip(". ") or part


def absolute(path: str, cwd: str, home: str) -> str:
    """`path` made absolute and tidy as text alone; procfs' other names for the working directory are undone."""
    if path == "~" or path.startswith("~/"):
        path = home + path[1:]
    joined = posixpath.join(cwd, path)
    tidy = posixpath.normpath(joined)
    if tidy.startswith("//"):
        tidy = tidy[1:]
    parts = tidy.split("/")
    if len(parts) > 3 and parts[1] == "proc":
        at = 5 if parts[3] == "task" else 3
        if len(parts) > at and parts[at] in ("cwd", "root"):
            rest = "/".join(parts[at + 1 :])
            return posixpath.normpath(posixpath.join(cwd if parts[at] == "cwd" else "/", rest))
    return tidy


def beneath(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or lies in it. Whole names, not string prefixes."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _with_folders(path: str) -> Iterator[str]:
    """A relative path and all folders it lies in, the outermost first."""
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)
    yield path


def inside(path: str, anchors: Anchors) -> bool:
    return any(beneath(path, root) for root in anchors.roots)


# -- places that need a question -------------------------------------------------------------------------------------

PROTECTED_FOLDERS = listed(
    """
    .git git~1 .hg .svn .protea .agent .agents .claude .codex .gemini .cursor .windsurf .continue .aider .vscode
    .idea .zed .fleet .husky .lefthook .devcontainer .cargo .mvn .gradle .circleci .buildkite .ssh .gnupg .aws
    .kube .yarn .direnv .docker .opencode .roo .kiro .amazonq .junie .augment .trae
    """
)
"""Whatever lies in a folder of this name, at any depth, steers other programs."""

PROTECTED_NAMES = listed(
    """
    .gitmodules .gitattributes .gitconfig .git-credentials .mcp.json mcp.json .envrc .npmrc
    .pnpmrc .yarnrc .yarnrc.yml .pnpmfile.cjs .pre-commit-config.yaml .pre-commit-hooks.yaml lefthook.yml
    lefthook.yaml .lefthook.yml .lefthook.yaml .gitlab-ci.yml .travis.yml azure-pipelines.yml jenkinsfile
    .bashrc .bash_profile .bash_login .bash_logout .bash_aliases .profile .zshrc .zshenv .zprofile .zlogin
    .zlogout .kshrc .cshrc .tcshrc .login .logout .inputrc .xinitrc .xprofile .xsessionrc .pam_environment
    .vimrc .nvimrc .exrc .gvimrc .emacs .dir-locals.el .gdbinit .lldbinit .pdbrc .pythonrc .pypirc .condarc
    .netrc .curlrc .wgetrc .ripgreprc .tmux.conf .screenrc .bazelrc .mise.toml
    .direnvrc .nvim.lua .aider.conf.yml opencode.json opencode.jsonc copilot-instructions.md .claude.json
    .cursorrules .windsurfrules .clinerules
    .buckconfig sitecustomize.py usercustomize.py authorized_keys permissions.toml
    """
)

_PROTECTED_TAILS = (
    (".github", "workflows"),
    (".github", "actions"),
    (".config", "fish"),
    (".config", "git"),
    (".config", "systemd"),
    (".config", "autostart"),
    (".config", "gh"),
    (".local", "bin"),
    (".local", "state"),
    (".ipython", "profile_default"),
)
"""Two folders in a row."""


def protected(path: str, anchors: Anchors) -> str | None:
    """Why writing to this absolute path asks in every mode, or None. Compared as `folded`."""
    # On other systems a backslash separates folders too, and a repository is shared with them.
    parts = segments(folded(path.replace("\\", "/")))
    for name in parts:
        if name in PROTECTED_FOLDERS or (name.endswith(".git") and name != ".git" and len(name) > 4):
            return f"what lies in {name} steers other programs"
        if name in PROTECTED_NAMES:
            return f"{name} steers other programs"
        if name == ".env" or (name.startswith(".env.") and not is_example(name)):
            return f"{name} holds secrets"
    for pair in pairwise(parts):
        if pair in _PROTECTED_TAILS:
            return f"what lies in {'/'.join(pair)} steers other programs"
    if anchors.protea_home and beneath(folded(path), folded(anchors.protea_home)):
        return "it belongs to Protea itself"
    return None


SECRET_AT_HOME = tuple(
    place.replace("%20", " ")
    for place in sorted(
        listed(
            """
    .ssh .aws .gnupg .config/gh .config/hub .netrc _netrc .kube .docker/config.json .azure .config/gcloud
    .git-credentials .config/git/credentials .npmrc .yarnrc .pypirc .password-store .local/share/keyrings
    .local/share/kwalletd .config/op .vault-token .terraform.d/credentials.tfrc.json .terraformrc
    .cargo/credentials .cargo/credentials.toml .gem/credentials .m2/settings.xml .gradle/gradle.properties
    .bash_history .zsh_history .python_history .psql_history .mysql_history .node_repl_history .sqlite_history
    .lesshst .mozilla .thunderbird .config/google-chrome .config/chromium .config/brave-browser
    .config/microsoft-edge .config/vivaldi .config/opera .var/app snap/firefox .pgpass .my.cnf .s3cfg .boto
    .config/rclone .config/doctl .config/hcloud .config/heroku .fly .config/stripe .claude .codex .gemini
    .config/anthropic .config/openai library/keychains library/cookies library/application%20support .wgetrc
    .curlrc .local/share/protea .config/1password .databricks .oci .aliyun .tsh .electrum .bitcoin
    """
        )
    )
)
_SECRET_PLACES = frozenset(SECRET_AT_HOME)
_SECRET_NAMES = listed(
    """
    .netrc .pgpass .git-credentials .htpasswd id_rsa id_dsa id_ecdsa id_ed25519 id_ecdsa_sk id_ed25519_sk
    """
)
_EXAMPLE_TAILS = ("example", "sample", "template", "dist", "defaults", "tpl", "schema", "d.ts")


def is_example(name: str) -> bool:
    return name.endswith(tuple("." + tail for tail in _EXAMPLE_TAILS))


def secret(path: str, anchors: Anchors) -> str | None:
    """Why reading this absolute path asks, or None. Examples of `.env` files are free."""
    fold = folded(path)
    name = posixpath.basename(fold)
    if name in _SECRET_NAMES:
        return f"{name} holds credentials"
    if (name == ".env" or name.startswith(".env.")) and not is_example(name):
        return f"{name} holds secrets"
    home = folded(anchors.home) if anchors.home else ""
    if home and home != "/" and beneath(fold, home):
        rest = fold[len(home.rstrip("/")) + 1 :]
        if (place := next((each for each in _with_folders(rest) if each in _SECRET_PLACES), None)) is not None:
            return f"~/{place} holds credentials or private data"
    if anchors.protea_home and beneath(fold, folded(anchors.protea_home)):
        sessions = folded(posixpath.join(anchors.protea_home, "sessions"))
        if anchors.session and beneath(fold, posixpath.join(sessions, folded(anchors.session))):
            return None
        return "it belongs to Protea itself"
    return None


def is_own_output(path: str, anchors: Anchors) -> bool:
    """Whether this is something the session itself put aside: the whole of an output that was cut for the model."""
    if not anchors.protea_home or not anchors.session:
        return False
    return beneath(path, posixpath.join(anchors.protea_home, "sessions", anchors.session))


def pseudo(path: str) -> str | None:
    """Why this is not a file to read or write: procfs, sysfs or a device other than null. Else None."""
    for tree in ("/proc", "/sys", "/dev"):
        if beneath(path, tree) and path != "/dev/null":
            return f"{tree} holds no ordinary files"
    return None


CRITICAL = listed(
    """
    / /bin /boot /dev /etc /home /lib /lib32 /lib64 /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr
    /var /usr/bin /usr/lib /usr/local /usr/local/bin /usr/share /var/lib /var/log /Users /Applications /System
    /Library
    """
)
"""Nobody means to remove these."""


def critical_removal(path: str, anchors: Anchors) -> str | None:
    """Why removing this absolute path is no everyday removal, or None."""
    if path in CRITICAL or posixpath.dirname(path) in ("/", "/home", "/Users"):
        return f"{path} is a folder of the system"
    if anchors.home and beneath(anchors.home, path):
        return f"{path} is, or holds, the home directory"
    if any(beneath(root, path) for root in anchors.roots):
        return f"{path} is, or holds, the whole project"
    if not inside(path, anchors) and not beneath(path, "/tmp"):
        return f"{path} is outside the project"
    return None
