"""Why bubblewrap cannot put walls up on this machine, in words a person can act on. Called by `bubblewrap`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from protea.domain.permission.paths import beneath

OTHERWISE = "or use --sandbox none, which has no walls"
TRY = (
    *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net", "--new-session"),
    *("--cap-drop", "ALL", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--perms", "0700"),
    *("--size", "65536", "--tmpfs", "/tmp", "--", "/usr/bin/prlimit", "--core=0", "--", "/bin/sh", "-c", ":"),
)


def find_bwrap(path: str, roots: Sequence[str]) -> str | None:
    """`bwrap` on a PATH, but none from a workspace: a project must not bring its own walls."""
    for folder in (*path.split(":"), "/usr/local/bin", "/usr/bin", "/bin"):
        candidate = os.path.join(folder, "bwrap")
        if not os.path.isabs(candidate) or not os.path.isfile(candidate) or not os.access(candidate, os.X_OK):
            continue
        if not any(beneath(os.path.realpath(candidate), root) for root in roots):
            return candidate
    return None


def trouble(bwrap: str | None) -> str | None:
    """What keeps walls from being put up, and the mend; None if nothing does. Runs `bwrap` once."""
    if os.uname().sysname != "Linux":
        return f"it needs Linux; use --sandbox auto, {OTHERWISE}"
    if bwrap is None:
        install = "apt install bubblewrap, dnf install bubblewrap, pacman -S bubblewrap …"
        return f"the command bwrap is not installed ({install}); install it, {OTHERWISE}"
    if not os.access("/usr/bin/prlimit", os.X_OK):
        return f"the command /usr/bin/prlimit is missing; install util-linux, {OTHERWISE}"
    try:
        done = subprocess.run(
            [bwrap, *TRY], env={}, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{bwrap} cannot be run ({error}); reinstall bubblewrap, {OTHERWISE}"
    if done.returncode == 0:
        return None
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return _reason(said[0] if said else f"it ended with {done.returncode}")


def _reason(said: str) -> str:
    if "Unknown option" in said:
        return f"this bubblewrap is too old ({said}); version 0.7 or newer is needed: update it, {OTHERWISE}"
    mends = []
    if _knob("/proc/sys/kernel/unprivileged_userns_clone") == "0":
        mends.append("this system forbids user namespaces: sysctl -w kernel.unprivileged_userns_clone=1")
    if _knob("/proc/sys/user/max_user_namespaces") == "0":
        mends.append("this system allows no user namespaces: sysctl -w user.max_user_namespaces=15000")
    if _knob("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
        mends.append(
            "AppArmor keeps programs from making user namespaces: give bwrap a profile (install apparmor-profiles and "
            "link bwrap-userns-restrict into /etc/apparmor.d), or sysctl -w "
            "kernel.apparmor_restrict_unprivileged_userns=0"
        )
    if not mends and _in_container():
        mends.append(
            "this is a container, and it forbids what walls are made of: start it with --security-opt "
            "seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined"
        )
    mends = mends or ["user namespaces may be forbidden here; ask whoever runs this machine"]
    return f"{said}. {'. '.join(mends)}; {OTHERWISE}"


def _knob(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def _in_container() -> bool:
    return any(os.path.exists(each) for each in ("/.dockerenv", "/run/.containerenv"))
