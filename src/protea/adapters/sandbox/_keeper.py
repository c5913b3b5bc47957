"""The first process in a container: it starts the command, ends what it leaves, and ends itself when Protea is gone.

A shell script, because any image a person works in has a POSIX shell, `env` and `sleep`, and none need have more. It is
process 1, so nothing in the container can end it, and when it ends the kernel ends all the others.

Its standard input comes from Protea: a word nobody else knows, then orders, a line each. `T` is SIGTERM to everything;
anything else, and the end of the file, ends everything: that is how a Protea killed by -9 takes its containers along.
To Protea it speaks through standard error, amid what the command writes there: NUL, the word, what happened, newline.
`started`, `failed ERRNO`, `exit CODE`, `left COMMAND LINE`, `gone`.

Arguments: flags (`k`: what is left behind goes on; `m`: standard error goes where standard output goes), the command's
PATH, its program, and then the words for `env`: NAME=VALUE …, program, arguments.
"""

from __future__ import annotations

import os
import re

SCRIPT = r"""
exec 3<&0 </dev/null
IFS= read -r mark <&3 || exit 1
flags=$1 look=$2 program=$3
shift 3
tell() { printf '\000%s %s\n' "$mark" "$1" >&4; }
can() {
    [ -f "$1" ] || return 1
    if [ -x "$1" ]; then found=0; return 0; fi
    found=13
    return 1
}
others() {
    left=
    for folder in /proc/[0-9]*; do
        pid=${folder#/proc/}
        if [ "$pid" = 1 ] || [ "$pid" = "$own" ]; then continue; fi
        read -r line <"$folder/stat" || continue
        case ${line##*) } in Z* | X*) continue ;; esac
        left="$left $pid"
    done
    [ -n "$left" ]
}
pause() { sleep "$1" || sleep 1; }
work() {
    exec 4>&2 2>/dev/null
    trap : TERM
    read -r own line </proc/self/stat
    found=2
    case $program in
    */*) can "$program" ;;
    *)
        IFS=:
        for folder in $look; do can "${folder:-.}/$program" && break; done
        unset IFS
        ;;
    esac
    if [ "$found" != 0 ]; then tell "failed $found"; return; fi
    # A background job of a shell ignores these two.
    usual=
    env --default-signal=INT true && usual=--default-signal=INT,QUIT
    session=
    command -v setsid >/dev/null && session=setsid
    tell started
    case $flags in
    *m*) $session env -i $usual "$@" 2>&1 3<&- 4>&- ;;
    *) $session env -i $usual "$@" 2>&4 3<&- 4>&- ;;
    esac
    tell "exit $?"
    case $flags in
    *k*) while others; do pause 0.2; done ;;
    *)
        if others; then
            pause 0.1
            if others; then
                count=0
                for pid in $left; do
                    count=$((count + 1))
                    [ "$count" -gt 10 ] && break
                    tell "left $(tr '\000\n' '  ' <"/proc/$pid/cmdline")"
                done
                kill -TERM -1
                pause 0.2
                kill -KILL -1
            fi
        fi
        ;;
    esac
    tell gone
}
work "$@" &
while IFS= read -r order <&3; do
    [ "$order" = T ] || break
    kill -TERM -1 2>/dev/null
done
kill -KILL -1 2>/dev/null
exit 0
"""


class Ear:
    """Takes what comes through standard error apart: the command's own, and what the keeper says."""

    def __init__(self, mark: str) -> None:
        self._sign = b"\0" + mark.encode() + b" "
        self._held = b""

    def hear(self, data: bytes) -> tuple[bytes, list[str]]:
        """What is the command's of these bytes, and what was said. Keeps back what may yet become a word."""
        data, self._held = self._held + data, b""
        own: list[bytes] = []
        said: list[str] = []
        while (at := data.find(self._sign)) >= 0:
            end = data.find(b"\n", at)
            if end < 0:
                break
            own.append(data[:at])
            said.append(data[at + len(self._sign) : end].decode("utf-8", "replace"))
            data = data[end + 1 :]
        if at < 0:
            at = _begins(data, self._sign)
        self._held = data[at:]
        return b"".join([*own, data[:at]]), said

    def rest(self) -> bytes:
        """What was kept back, at the end."""
        held, self._held = self._held, b""
        return held


def _begins(data: bytes, sign: bytes) -> int:
    """Where in the end of `data` a sign may have begun; its length where none has."""
    at = data.rfind(b"\0", max(0, len(data) - len(sign)))
    while at >= 0:
        if sign.startswith(data[at:]):
            return at
        at = data.rfind(b"\0", 0, at)
    return len(data)


def printable(line: str) -> str:
    return re.sub(r"[^ -~\u00a0-\U0010ffff]", " ", line).strip()[:120] or "?"


def mark() -> str:
    """A word no command can guess."""
    return os.urandom(16).hex()
