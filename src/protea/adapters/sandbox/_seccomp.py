"""The system-call filter of a command behind walls: a small assembler for classic BPF, and the program it makes.

Called by `bubblewrap`, which hands the program to `bwrap --seccomp`; `profile` says the same in the words of container
engines, for `docker`. The form is the kernel's `struct sock_filter`
(linux/filter.h), the data looked at its `struct seccomp_data` (linux/seccomp.h); see seccomp(2).

It is a deny list: what ordinary programs do is not counted up here, what leads out of a sandbox or deep into the
kernel is. Refused calls fail with an error a program can act on, none kills it, except calls by another architecture's
numbers, which this program cannot read.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

# ── instructions ────────────────────────────────────────────────────────────────────────────────────────────────────

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
"""Offsets in `struct seccomp_data`."""
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97


class Program:
    """Instructions in order. A test that fails jumps over what its block emits."""

    def __init__(self) -> None:
        self.code: list[tuple[int, int, int, int]] = []

    def emit(self, what: int, value: int) -> None:
        self.code.append((what, 0, 0, value))

    def when(self, test: int, value: int, block: Callable[[], None], *, unless: bool = False) -> None:
        """Do `block` where the test holds (with `unless`: where it does not)."""
        at = len(self.code)
        self.emit(test, value)
        block()
        over = len(self.code) - at - 1
        if over > 255:
            raise ValueError("a block of a filter is longer than a jump")
        self.code[at] = (test, over, 0, value) if unless else (test, 0, over, value)

    def argument(self, index: int) -> None:
        """Load the low half of an argument: flags, domains and requests are 32 bits wide for the kernel too."""
        self.emit(LOAD, ARGUMENTS + 8 * index)

    def bytes(self) -> bytes:
        return b"".join(struct.pack("=HBBI", *each) for each in self.code)


# ── numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""AUDIT_ARCH_… of linux/audit.h; both little-endian."""

REFUSED: dict[str, tuple[int | None, int | None]] = {
    # name: number on x86_64, on aarch64
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "userfaultfd": (323, 282),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "create_module": (174, None),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "syslog": (103, 116),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "lookup_dcookie": (212, 18),
    "nfsservctl": (180, 42),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    "vhangup": (153, 58),
    "fanotify_init": (300, 262),
    "memfd_secret": (447, 447),
    "uselib": (134, None),
    "_sysctl": (156, None),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "listmount": (458, 458),
    "statmount": (457, 457),
}
"""Never allowed: EPERM."""

MISSING: dict[str, tuple[int | None, int | None]] = {
    # Their arguments lie in memory, where a filter cannot look, or they do other calls' work past the filter. ENOSYS
    # sends programs to the older call.
    "clone3": (435, 435),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "openat2": (437, 437),
}

CLONE, UNSHARE, IOCTL, SOCKET, PERSONALITY = (56, 220), (272, 97), (16, 29), (41, 198), (135, 92)
NEW_NAMESPACES = 0x7E020080
"""CLONE_NEW{TIME,NS,CGROUP,UTS,IPC,USER,PID,NET}. In clone(2) the bit of NEWTIME belongs to the signal number."""
NEWTIME = 0x80
TERMINAL_INJECTION = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: both type into a terminal."""
INTERNET = (2, 10)
UNIX, NETLINK = 1, 16
ROUTE = 0
"""The netlink protocol that `getaddrinfo` and the listing of interfaces need."""
PERSONALITIES = (0, 0x0008, 0x20000, 0x20008, 0x40000, 0xFFFFFFFF)
"""Linux, 32 bits, old uname, without address randomisation (debuggers), and asking."""
SETUID = 0o4000
CREATE = 0o100
CHMODS: tuple[tuple[tuple[int | None, int | None], int], ...] = (
    ((90, None), 1),  # chmod
    ((91, 52), 1),  # fchmod
    ((268, 53), 2),  # fchmodat
    ((452, 452), 2),  # fchmodat2
    ((85, None), 1),  # creat
    ((133, None), 1),  # mknod
    ((259, 33), 2),  # mknodat
)
"""Calls that set a file's mode, and which argument it is."""
OPENS: tuple[tuple[tuple[int | None, int | None], int], ...] = (((2, None), 1), ((257, 56), 2))
"""Calls that open a file, and which argument its flags are; the mode follows."""

# ── the program ─────────────────────────────────────────────────────────────────────────────────────────────────────


def build(machine: str, *, unix_sockets: bool = False) -> bytes:
    """The filter for `os.uname().machine`. Raises `KeyError` for one whose numbers are not known here.

    `unix_sockets`: let AF_UNIX sockets be made; pairs of them always may.
    """
    program = _Filter(machine)
    for numbers in REFUSED.values():
        program.on(numbers, program.refuse)
    for numbers in MISSING.values():
        program.on(numbers, lambda: program.refuse(ENOSYS))
    program.on(CLONE, lambda: program.unless_bit(0, NEW_NAMESPACES & ~NEWTIME))
    program.on(UNSHARE, lambda: program.unless_bit(0, NEW_NAMESPACES))
    program.on(IOCTL, program.ioctl)
    program.on(SOCKET, lambda: program.socket(unix_sockets))
    program.on(PERSONALITY, program.personality)
    for numbers, index in CHMODS:
        program.on(numbers, partial(program.unless_bit, index, SETUID))
    for numbers, index in OPENS:
        program.on(numbers, partial(program.opening, index))
    program.allow()
    return program.bytes()


class _Filter(Program):
    """The program, and what is looked at in the arguments of calls that are refused only sometimes."""

    def __init__(self, machine: str) -> None:
        super().__init__()
        architecture = ARCHITECTURES[machine]
        self._column = list(ARCHITECTURES).index(machine)
        self.emit(LOAD, ARCHITECTURE)
        self.when(EQUAL, architecture, lambda: self.emit(RETURN, KILL), unless=True)
        self.emit(LOAD, NUMBER)
        if machine == "x86_64":
            # x32 numbers reach the same calls by another name.
            self.when(AT_LEAST, 0x40000000, lambda: self.refuse(ENOSYS))

    def allow(self) -> None:
        self.emit(RETURN, ALLOW)

    def refuse(self, error: int = EPERM) -> None:
        self.emit(RETURN, ERRNO | error)

    def on(self, numbers: tuple[int | None, int | None], block: Callable[[], None]) -> None:
        """Do `block` for a call that has these numbers; on some machines there is none."""
        number = numbers[self._column]
        if number is not None:
            self.when(EQUAL, number, block)

    def unless_bit(self, index: int, bits: int) -> None:
        """Allow what has none of `bits` in an argument."""
        self.argument(index)
        self.when(ANY_BIT, bits, self.refuse)
        self.allow()

    def ioctl(self) -> None:
        self.argument(1)
        for request in TERMINAL_INJECTION:
            self.when(EQUAL, request, self.refuse)
        self.allow()

    def socket(self, unix: bool) -> None:
        self.argument(0)
        for family in INTERNET:
            self.when(EQUAL, family, self.allow)
        self.when(EQUAL, UNIX, self.allow if unix else self.refuse)
        self.when(EQUAL, NETLINK, self._netlink)
        self.refuse(EAFNOSUPPORT)

    def _netlink(self) -> None:
        self.argument(2)
        self.when(EQUAL, ROUTE, self.allow)
        self.refuse(EAFNOSUPPORT)

    def personality(self) -> None:
        self.argument(0)
        for each in PERSONALITIES:
            self.when(EQUAL, each, self.allow)
        self.refuse()

    def opening(self, index: int) -> None:
        """Of what is opened a mode is looked at only where a file may be made."""
        self.argument(index)
        self.when(ANY_BIT, CREATE, partial(self.unless_bit, index + 1, SETUID))
        self.allow()


def names(machine: str) -> Sequence[str]:
    """The calls that are refused whatever their arguments, for the documentation and the tests."""
    column = list(ARCHITECTURES).index(machine)
    return [name for name, numbers in {**REFUSED, **MISSING}.items() if numbers[column] is not None]


# ── the same for container engines ──────────────────────────────────────────────────────────────────────────────────

_ENGINES_NAMES = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}
_CHMODS = {"chmod": 1, "fchmod": 1, "fchmodat": 2, "fchmodat2": 2, "creat": 1, "mknod": 1, "mknodat": 2}
_OPENS = {"open": 1, "openat": 2}
_ORDINARY = 0x60008
"""The bits in PERSONALITIES."""
_FAMILIES = 64
"""Socket families there may be: 46 are known."""


def profile(machine: str, *, unix_sockets: bool = False) -> dict[str, Any]:
    """The filter as a seccomp profile of Docker and Podman. Raises `KeyError` as `build` does."""
    rules: list[dict[str, Any]] = []

    def refuse(names: Sequence[str], error: int, *tests: tuple[int, str, int, int]) -> None:
        arguments = [{"index": index, "op": op, "value": value, "valueTwo": two} for index, op, value, two in tests]
        rules.append({"names": list(names), "action": "SCMP_ACT_ERRNO", "errnoRet": error, "args": arguments})

    def bit(index: int, mask: int) -> tuple[int, str, int, int]:
        return (index, "SCMP_CMP_MASKED_EQ", mask, mask)

    refuse(list(REFUSED), EPERM)
    refuse(list(MISSING), ENOSYS)
    for shift in range(32):
        if NEW_NAMESPACES >> shift & 1:
            refuse(["unshare"] if 1 << shift == NEWTIME else ["unshare", "clone"], EPERM, bit(0, 1 << shift))
    for request in TERMINAL_INJECTION:
        refuse(["ioctl"], EPERM, (1, "SCMP_CMP_MASKED_EQ", 0xFFFFFFFF, request))
    for family in range(_FAMILIES):
        if family == UNIX and not unix_sockets:
            refuse(["socket"], EPERM, (0, "SCMP_CMP_EQ", family, 0))
        elif family not in (*INTERNET, UNIX, NETLINK):
            refuse(["socket"], EAFNOSUPPORT, (0, "SCMP_CMP_EQ", family, 0))
    refuse(["socket"], EAFNOSUPPORT, (0, "SCMP_CMP_EQ", NETLINK, 0), (2, "SCMP_CMP_NE", ROUTE, 0))
    for shift in range(31):
        if not 1 << shift & _ORDINARY:
            # With the highest bit it is a question, not a change.
            refuse(["personality"], EPERM, (0, "SCMP_CMP_MASKED_EQ", 1 << 31 | 1 << shift, 1 << shift))
    for name, index in _CHMODS.items():
        refuse([name], EPERM, bit(index, SETUID))
    for name, index in _OPENS.items():
        refuse([name], EPERM, bit(index, CREATE), bit(index + 1, SETUID))
    return {"defaultAction": "SCMP_ACT_ALLOW", "architectures": [_ENGINES_NAMES[machine]], "syscalls": rules}
