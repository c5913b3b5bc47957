"""What the mode that asks least still leaves to a person: things that no undo takes back."""

from __future__ import annotations

import re

from protea.domain.permission.programs.git import OWN, without_globals
from protea.domain.permission.programs.study import study
from protea.domain.permission.shell.script import Command, listed
from protea.domain.permission.shell.unwrap import SHELLS, basename

_RESERVED = {
    "it signals other programs": "kill pkill killall skill snice xkill fuser loginctl gdb lldb reptyr nsenter",
    "it stops or changes the system": (
        "shutdown reboot halt poweroff init telinit systemctl service launchctl sysctl modprobe insmod rmmod"
        " mount umount"
        " swapon swapoff fdisk parted sfdisk mkswap losetup cryptsetup lvm hdparm iptables nft ufw ip ifconfig route"
        " hostnamectl timedatectl hwclock localectl dconf gsettings"
        " chroot setcap grub-install efibootmgr wipefs blkdiscard"
        " update-alternatives dpkg-reconfigure"
    ),
    "it acts as another account": "sudo su doas pkexec runuser",
    "it changes accounts": "passwd useradd userdel usermod groupadd groupdel chpasswd chsh chfn visudo adduser deluser",
    "it makes something run later": "crontab at batch systemd-run",
    "it reaches out of this machine": (
        "curl wget ssh scp sftp ftp tftp telnet nc ncat netcat socat rsync mail mailx sendmail mutt msmtp"
        " getent dig host"
        " nslookup ping ping6 traceroute whois nmap aria2c http https xh lynx w3m links elinks rclone aws"
        " gcloud az gsutil"
        " kubectl helm terraform ansible ansible-playbook gh glab hub heroku flyctl vercel netlify wrangler firebase"
        " telegram-send xdg-open open twine firefox chromium chromium-browser google-chrome sensible-browser brave"
        " ngrok cloudflared"
    ),
    "it decides about itself": "protea",
    "it runs in a container that may see the whole machine": "docker podman nerdctl ctr lxc machinectl vagrant",
    "it reads secrets": "env printenv set export declare gpg pass secret-tool security keyctl op vault age"
    " ssh-add ssh-keygen",
    "it can run anything typed into it": "eval source . exec trap coproc enable expect screen tmux compgen alias"
    " unalias hash bind complete",
}
OUTWARD = listed(_RESERVED["it reaches out of this machine"])
SECRETIVE = listed(_RESERVED["it reads secrets"]) - {"set", "export", "declare"}
_WHY = {name: why for why, names in _RESERVED.items() for name in names.split()}

_PUBLISHING = {
    "git": listed("push send-pack http-push send-email request-pull config clone remote submodule credential"),
    "npm": listed("publish unpublish login adduser token owner deprecate dist-tag access"),
    "pnpm": frozenset({"publish"}),
    "yarn": frozenset({"publish", "npm"}),
    "cargo": listed("publish login owner yank"),
    "uv": frozenset({"publish"}),
    "poetry": frozenset({"publish"}),
    "gem": frozenset({"push"}),
    "mvn": frozenset({"deploy"}),
}

_INLINE = {
    "python": ("-c",),
    "node": ("-e", "-p", "--eval", "--print"),
    "perl": ("-e", "-E", "-i"),
    "ruby": ("-e", "-i"),
    "php": ("-r",),
    "lua": ("-e",),
    "deno": ("eval",),
    "bun": ("-e",),
    "Rscript": ("-e",),
    "osascript": ("-e",),
}


def reserved(command: Command) -> str | None:
    """Why a person must see this command even in yolo mode, or None."""
    if not command.words:
        return None
    texts = [word.text for word in command.words]
    name = basename(texts[0])
    plain = [text for text in texts[1:] if not text.startswith("-")]
    if name in _WHY:
        return f"{name}: {_WHY[name]}"
    if name.startswith(("mkfs", "fsck")):
        return f"{name}: it stops or changes the system"
    if name == "git":
        plain = list(without_globals(texts)[1:])
        if plain and plain[0] not in OWN:
            return f"git {plain[0][:40]}: it is an alias or a program of its own, and nobody can tell what it does"
        plain = plain[:2] if plain[:1] == ["subtree"] else plain[:1]
    if name in _PUBLISHING and any(word in _PUBLISHING[name] for word in plain[:2]):
        return f"{name} {plain[0]}: it reaches out of this machine or changes who one is there"
    if name in SHELLS and not command.known:
        return f"{name}: what it runs is known only when it runs"
    if name in SHELLS and not plain:
        return f"{name}: what it runs comes through a pipe"
    if name in ("npm", "pnpm", "yarn", "pip", "pip3", "uv", "cargo", "go") and plain[:1] in (["config"], ["set"]):
        return f"{name} {plain[0]}: it changes settings of the account"
    if name == "ps" and not study(command.words).fit:
        return "ps: its options may show the environment of other programs"
    if name in ("strace", "ltrace", "perf") and any(re.match(r"-p|--attach|--pid", text) for text in texts[1:]):
        return f"{name}: it attaches to another program"
    if name == "date" and not study(command.words).fit:
        return "date: it may set the clock"
    if name.startswith("python") and "http.server" in texts:
        return "http.server: it opens the folder to other machines"
    if name == "dd" and any(text.startswith("of=/dev") for text in texts):
        return "dd: it writes to a device"
    inline = _INLINE.get(re.sub(r"[\d.]+\Z", "", name))
    if inline:
        for index, text in enumerate(texts[1:], 1):
            if text.startswith(inline):
                code = texts[index + 1] if text in inline and index + 1 < len(texts) else text[2:]
                if not (name.startswith("python") and len(code) < 2_000 and innocent(code)):
                    return f"{name} {text[:2]}: nobody can tell what this code does"
    if name in ("awk", "gawk", "mawk") and any("system" in text or "|" in text for text in texts[1:]):
        return f"{name}: its program runs commands"
    return None


def innocent(code: str) -> bool:
    """Whether a line of Python only computes and prints, as far as its names tell."""
    if re.search(
        r"__|\b(open|exec|eval|compile|getattr|setattr|delattr|globals|vars|locals|input|breakpoint|modules)\b", code
    ):
        return False
    harmless = {"json", "math", "sys", "re", "datetime", "random", "string", "itertools", "collections", "statistics"}
    for match in re.finditer(r"\b(?:from|import)\s+([\w., ]+)", code):
        names = re.split(r"[,\s]+", match.group(1).replace(" as ", ",").replace(" import ", ","))
        if names and names[0] not in harmless:
            return False
        if (
            match.group(0).startswith("import")
            and "," in match.group(1)
            and any(n and n not in harmless for n in names)
        ):
            return False
    return True
