"""Commands inside commands: what `env`, `timeout 5`, `sudo -u x`, `xargs -n1`, `find -exec`, `bash -c`, `eval` … run.

A decision uses it twice: to find everything a deny or ask rule could mean, and, for the few wrappers that change
nothing (`timeout`, `nice`, `time` …), to see what an allow rule would have to cover.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

import msgspec

from protea.domain.permission.shell.script import Word, listed


class Inner(msgspec.Struct, frozen=True):
    """What a wrapper runs: words, or text for a shell to read."""

    words: tuple[Word, ...] = ()
    text: str | None = None
    transparent: bool = False
    """The wrapper adds no power: what the inner command may do, the whole may."""
    more: bool = False
    """Operands nobody can see are added when it runs (`xargs`, `find -exec`)."""
    unlikely: bool = False
    """Run so only where no file of that name lies there: for rules that deny or ask."""


class _Form(msgspec.Struct, frozen=True):
    valued: str = ""
    """Options that take the next word; short ones also take the rest of theirs."""
    operands: int = 0
    """Words of the wrapper's own before the command."""
    assignments: bool = False
    transparent: str | None = None
    """Not None: these options (besides valued ones) leave it transparent."""
    more: bool = False


_FORMS = {
    "timeout": _Form("-k -s --kill-after --signal", 1, transparent="--preserve-status --foreground -v --verbose"),
    "nice": _Form("-n --adjustment", transparent=""),
    "time": _Form("-o -f --output --format", assignments=True, transparent="-p"),
    "nohup": _Form(transparent=""),
    "stdbuf": _Form("-i -o -e --input --output --error", transparent=""),
    "ionice": _Form("-c -n -p -P -u --class --classdata", transparent="-t"),
    "command": _Form(transparent="-p"),
    "builtin": _Form(),
    "exec": _Form("-a"),
    "env": _Form("-u -C -S --unset --chdir --split-string", assignments=True),
    "sudo": _Form(
        "-u -g -h -p -C -D -R -T -U -r -t --user --group --host --chdir --prompt --role --type", assignments=True
    ),
    "doas": _Form("-u -C"),
    "pkexec": _Form("--user"),
    "setsid": _Form(),
    "chrt": _Form("-T -P -D", 1),
    "taskset": _Form("", 1),
    "numactl": _Form("-N -m -C -i -p"),
    "chroot": _Form("--userspec --groups", 1),
    "unshare": _Form("-S -G -R -w --setuid --setgid --root --wd"),
    "nsenter": _Form("-t -S -G -r -w"),
    "setpriv": _Form("--reuid --regid --groups --inh-caps --ambient-caps --bounding-set"),
    "prlimit": _Form("-p --pid"),
    "systemd-run": _Form("-p -u -M -H --unit --property --setenv -E --slice --description"),
    "systemd-inhibit": _Form("--what --who --why --mode"),
    "dbus-run-session": _Form("--config-file --dbus-daemon"),
    "xvfb-run": _Form("-n -s -e -f -p -w --server-num --server-args"),
    "strace": _Form("-e -o -p -s -u -P -a -b -I -O -S -E"),
    "ltrace": _Form("-e -o -p -s -u -n -a"),
    "perf": _Form("", 1),
    "gdb": _Form("-ex -x"),
    "valgrind": _Form(""),
    "flock": _Form("-w -E --wait --timeout --conflict-exit-code -c --command", 1),
    "watch": _Form("-n -q --interval --equexit"),
    "entr": _Form(""),
    "parallel": _Form("-j -S -a -I -N -n -L --jobs --arg-file --colsep --delay --timeout", more=True),
    "xargs": _Form(
        "-a -d -E -I -L -n -P -s --arg-file --delimiter --max-lines --max-args --max-procs --max-chars"
        " --process-slot-var",
        more=True,
    ),
    "busybox": _Form(),
    "toybox": _Form(),
    "coproc": _Form(assignments=True),
    "runuser": _Form("-u -g -G"),
    "proot": _Form("-r -b -w -q"),
    "fakeroot": _Form("-s -i -l -b"),
    "catchsegv": _Form(),
    "rlwrap": _Form("-a -f -H"),
    "unbuffer": _Form(),
    "caffeinate": _Form("-t -w"),
    "arch": _Form(),
    "dotenv": _Form("-f -e"),
    "firejail": _Form(),
    "bwrap": _Form(),
    "ssh-agent": _Form("-t -a -E"),
    "!": _Form(assignments=True, transparent=""),
}

_ENV_SPLIT = re.compile(r"-[A-Za-z0]*?S")
_CONTAINER = _Form(
    "-a -c -e -h -l -m -p -u -v -w --add-host --cpus --device --dns --entrypoint --env --env-file --gpus --hostname"
    " --ip --label --memory --mount --name --network --platform --publish --pull --restart --shm-size --tmpfs --ulimit"
    " --user --volume --workdir",
    1,
)
_REMOTE = {
    "ssh": _Form("-B -b -c -D -E -e -F -I -i -J -L -l -m -O -o -P -p -Q -R -S -W -w", 1),
    **dict.fromkeys(("docker", "podman", "nerdctl"), _CONTAINER),
    **dict.fromkeys(("kubectl", "oc"), _Form("-n -c --namespace --container --context --image -f --filename", 1)),
}
"""Programs that have a command run elsewhere: another machine, a container."""
_LAUNCHERS = listed("npx bunx pnpx uvx pipx")
_LAUNCHING = {
    "uv": ("run", "tool"),
    "poetry": ("run",),
    "pdm": ("run",),
    "hatch": ("run",),
    "pipenv": ("run",),
    "rye": ("run",),
    "npm": ("exec", "x"),
    "pnpm": ("exec", "dlx"),
    "yarn": ("exec", "dlx"),
    "bundle": ("exec",),
    "direnv": ("exec",),
    "nix": ("develop", "shell", "run"),
    "conda": ("run",),
    "mise": ("exec", "x"),
    "asdf": ("exec",),
    "cargo": ("watch",),
}
"""Program → its subcommands behind which another command stands."""

SHELLS = listed("sh bash dash zsh ksh mksh ash fish csh tcsh rbash yash posh")

WRAPPERS = frozenset(_FORMS) | SHELLS | {"eval", "script", "su", "trap", "find", "fd", "fdfind", "source", "."}
"""Never to be saved as the head of an allow rule, nor covered by a prefix rule of their own name alone."""


def basename(word: str) -> str:
    return posixpath.basename(word) or word


def inner_commands(words: Sequence[Word]) -> list[Inner]:
    """What `words` would run besides itself; several when its options leave that open. One layer only."""
    if not words:
        return []
    name = basename(words[0].text)
    texts = [word.text for word in words]
    if name in SHELLS:
        return _shell(words)
    if name == "alias":
        return [Inner(text=text.partition("=")[2]) for text in texts[1:] if "=" in text]
    if re.fullmatch(r"python[0-9.]*", name) and "-m" in texts[1:-1]:
        return [Inner(tuple(words[texts.index("-m", 1) + 1 :]), unlikely=True)]
    if name in ("eval", "trap") and len(words) > 1:
        return [Inner(text=" ".join(texts[1:]) if name == "eval" else texts[1])]
    if name in ("su", "script", "runuser", "flock", "watch"):
        found = [
            Inner(text=texts[i + 1])
            for i, text in enumerate(texts[:-1])
            if text in ("-c", "--command") or (text.startswith("-") and text.endswith("c") and name == "script")
        ]
        if found:
            return found
    if name == "find":
        return _exec(words, ("-exec", "-execdir", "-ok", "-okdir"))
    if name in ("fd", "fdfind"):
        return _exec(words, ("-x", "-X", "--exec", "--exec-batch"))
    if name == "git":
        return _git(texts)
    if name in _REMOTE or name in _LAUNCHERS or name in _LAUNCHING:
        return _elsewhere(name, words)
    form = _FORMS.get(name)
    if name in ("watch", "parallel", "entr") and form is not None:
        # These hand their words to a shell.
        found = _wrapped(name, form, words)
        return [*found, *(Inner(text=" ".join(word.text for word in one.words), more=one.more) for one in found)]
    return _wrapped(name, form, words) if form is not None else []


def _elsewhere(name: str, words: Sequence[Word]) -> list[Inner]:
    """What is run on another machine, in a container or an environment. For deny and ask rules only: nothing is
    allowed by looking in here."""
    texts = [word.text for word in words]
    form, first = _REMOTE.get(name, _Form()), 0
    verbs = _LAUNCHING.get(name) or (("run", "exec", "create") if name != "ssh" and name in _REMOTE else ())
    if verbs:
        first = next((i for i, text in enumerate(texts[1:6], 1) if text in verbs), 0)
        if not first:
            return []
    found = _wrapped(name, form, words[first:])
    if "--" in texts[first:]:
        found.append(Inner(tuple(words[texts.index("--", first) + 1 :])))
    found += [
        Inner(text=texts[index + 1])
        for index, text in enumerate(texts[:-1])
        if text in ("--call", "--command", "--entrypoint") or (text == "-c" and name not in _REMOTE)
    ]
    if name == "ssh":
        found += [Inner(text=" ".join(word.text for word in one.words)) for one in found if one.words]
    return [one for one in found if one.words or one.text]


def _shell(words: Sequence[Word]) -> list[Inner]:
    texts = [word.text for word in words]
    for index, text in enumerate(texts[1:], 1):
        if text in ("-o", "+o", "-O", "+O", "--rcfile", "--init-file"):
            continue
        if re.fullmatch(r"-[A-Za-z]*c[A-Za-z]*", text):
            rest = [other for other in texts[index + 1 :] if not re.fullmatch(r"[-+][A-Za-z]+|--", other)]
            return [Inner(text=rest[0])] if rest else []
    # A script is looked for in PATH too.
    first = next((i for i, text in enumerate(texts[1:], 1) if not text.startswith(("-", "+"))), 0)
    return [Inner(tuple(words[first:]), unlikely=True)] if first and "/" not in texts[first] else []


def _exec(words: Sequence[Word], options: tuple[str, ...]) -> list[Inner]:
    found = []
    for index, word in enumerate(words):
        if word.text in options:
            end = index + 1
            while end < len(words) and words[end].text not in (";", "+"):
                end += 1
            if end > index + 1:
                found.append(Inner(tuple(words[index + 1 : end]), more=True))
    return found


def _git(texts: list[str]) -> list[Inner]:
    found = []
    for index, text in enumerate(texts):
        option, equals, value = text.partition("=")
        following = value if equals else texts[index + 1] if index + 1 < len(texts) else ""
        if option in (
            "--exec",
            "-x",
            "--upload-pack",
            "--receive-pack",
            "--open-files-in-pager",
            "--extcmd",
            "--tree-filter",
        ):
            found.append(Inner(text=following))
        elif text.startswith("-O") and len(text) > 2:
            found.append(Inner(text=text[2:]))
        elif text in ("foreach", "run") and index + 1 < len(texts):
            found.append(Inner(text=" ".join(texts[index + 1 :])))
    for index, text in enumerate(texts[:-1]):
        if text == "-c":
            key, _, value = texts[index + 1].partition("=")
            if key.lower().startswith("alias."):
                found.append(Inner(text=value[1:] if value.startswith("!") else "git " + value))
            elif value:
                found.append(Inner(text=value))
    return found


def _wrapped(name: str, form: _Form, words: Sequence[Word]) -> list[Inner]:
    valued = form.valued.split()
    short = {option[1] for option in valued if len(option) == 2}
    transparent = form.transparent is not None
    harmless = set((form.transparent or "").split())
    index = 1
    open_end: set[int] = set()
    """Places where the command starts if an option we do not know takes a value."""
    while index < len(words):
        text = words[index].text
        if text == "--":
            index += 1
            break
        # env takes whatever has an = in it; the shell, behind its own words, only names.
        odd = name in ("env", "sudo") and "=" in text and not text.startswith("-")
        if odd or (form.assignments and re.match(r"[A-Za-z_]\w*\+?=", text)):
            transparent = False
            index += 1
            continue
        if not text.startswith("-") or text == "-":
            if text == "-" and name == "env":
                index += 1
                continue
            break
        transparent = transparent and words[index].known
        option, equals, value = text.partition("=")
        if name == "env" and (
            (option.startswith("--s") and "--split-string".startswith(option)) or _ENV_SPLIT.match(text)
        ):
            given = value if option.startswith("--") else text.split("S", 1)[1]
            rest = [w.text for w in words[index + 1 :]]
            return [Inner(text=" ".join(([given] if given else []) + rest))]
        if option in valued and not (equals and len(option) == 2):
            index += 1 if equals else 2
        elif (not text.startswith("--") and len(text) > 1 and text[1] in short) or (
            name == "nice" and re.fullmatch(r"-\d+|--\d+", text)
        ):
            index += 1
        else:
            if text not in harmless:
                transparent = False
                open_end.add(index + 2)
            index += 1
    for _ in range(form.operands):
        if index < len(words) and not words[index].known:
            transparent = False
        index += 1
    found = []
    for start in sorted({index} | open_end):
        if start < len(words):
            found.append(Inner(tuple(words[start:]), transparent=transparent and start == index, more=form.more))
    return found
