"""Commands that look at or change something and end: what each needs of the composition, and who tells it."""

from __future__ import annotations

import os
import sys

from protea.cli.opening import gateway_of, home_of, launch_of, load_values, place_of
from protea.cli.output import Stdout, complain, mistake, write

TYPE_CHECKING = False  # `typing` itself would cost more than all of `--version`
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from protea.composition.launch import Launch
    from protea.domain.surroundings import Surroundings
    from protea.interfaces.arguments import Arguments


def run_command(arguments: Arguments) -> int:
    if arguments.name == "completion":
        from protea.interfaces.commands.completion import script

        write(script(arguments.words[0]))
        return 0
    load_values()
    if arguments.path[0].name in _OWN:
        _tell_warnings()
        return _OWN[arguments.path[0].name](arguments)
    import asyncio

    from protea.interfaces.commands import sessions, tools, undo

    launch = launch_of(arguments, interactive=False)
    place = place_of(launch)
    run = {**sessions.COMMANDS, **tools.COMMANDS, **undo.COMMANDS}[arguments.name]

    async def with_gateway() -> int:
        gateway = await gateway_of(launch)
        try:
            return await run(gateway, arguments, place)
        finally:
            await gateway.close()

    return asyncio.run(with_gateway())


def _tell_warnings() -> None:
    """What is logged where no log is open is a line like any other, and not the bare text the library would write."""
    import logging

    class Line(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            complain(record.getMessage())

    logging.lastResort = Line(logging.WARNING)


def _perm(arguments: Arguments) -> int:
    from protea.composition.resolve import load
    from protea.composition.root import Given, Root
    from protea.composition.rules import read_rules
    from protea.composition.trusting import brings_nothing
    from protea.interfaces.commands.perm import run_perm

    launch = launch_of(arguments, interactive=True)
    if arguments.name == "perm audit":
        from protea.composition.auditing import verified
        from protea.interfaces.commands.perm_past import tell_audit

        return tell_audit(arguments, place_of(launch), verified(launch))
    root = Root(launch, Given())
    if arguments.name == "perm test":
        return _perm_test(arguments, launch, root.surroundings)
    if arguments.name == "perm why" and len(arguments.words) == 1 and "(" not in arguments.words[0]:
        from protea.composition.auditing import of_call
        from protea.interfaces.commands.perm_past import tell_call

        session, _, call = arguments.words[0].rpartition("/")
        if known := of_call(launch, call, session):
            return tell_call(arguments, place_of(launch), known)
    found = read_rules(launch, root.settings, root.surroundings)
    rules = load("permission", "rules")
    return run_perm(
        arguments,
        engine=lambda layers: rules.create(rules.Options(layers=layers), surroundings=root.surroundings),
        layers=tuple(layer for layer in found.layers if layer.source != "flags"),  # it reads the flags itself
        surroundings=root.surroundings,
        mode=found.mode or "normal",
        plain=lambda: brings_nothing(root.surroundings, bare=launch.bare),
        stdin=sys.stdin.buffer,
        stdout=Stdout(),  # type: ignore[arg-type]  # it writes and flushes, and nothing else is asked of it
    )


def _perm_test(arguments: Arguments, launch: Launch, around: Surroundings) -> int:
    from protea.composition.auditing import answers, days_ago, decisions
    from protea.composition.resolve import load
    from protea.interfaces.commands.perm_past import tell_policy

    rules = load("permission", "rules")
    path = os.path.join(launch.cwd, arguments.words[0])
    policy = rules.read_rules_file(path)
    if policy is None:
        raise mistake(f"there is no file {path}; a policy is written like permissions.toml")
    engine = rules.create(rules.Options(layers=(policy.layer,)), surroundings=around)
    days = arguments.number("against")
    since = days_ago(7 if days is None else days)
    past, said = decisions(launch, since), answers(launch, since)
    return tell_policy(arguments, place_of(launch), engine, past, said, around.user_home)


def _ports(arguments: Arguments) -> int:
    from protea.composition.catalogue import CATALOGUE, DEFAULTS, SWAP_CLASSES
    from protea.composition.plugins import all_plugins
    from protea.composition.root import Given, Root
    from protea.interfaces.commands.ports import PortRow, show_ports

    launch = launch_of(arguments, interactive=True)
    chosen = Root(launch, Given()).settings.ports
    foreign = all_plugins()

    def filled_by(port: str) -> str:
        return str(chosen.get(port, {}).get("adapter") or DEFAULTS.get(port, "by name"))

    rows = [
        PortRow(port, SWAP_CLASSES.get(port, ""), (*adapters, *foreign.get(port, ())), filled_by(port))
        for port, adapters in CATALOGUE.items()
    ]
    return show_ports(arguments, place_of(launch), rows)


def _plugins(arguments: Arguments) -> int:
    from protea.composition.plugins import brought
    from protea.composition.root import Given, Root
    from protea.interfaces.commands.plugins import PluginRow, list_plugins

    launch = launch_of(arguments, interactive=True)
    filled = {port: table.get("adapter") for port, table in Root(launch, Given()).settings.ports.items()}
    rows = [
        PluginRow(
            package=each.package,
            version=each.version,
            port=each.port,
            adapter=each.adapter,
            module=each.module,
            used=filled.get(each.port) == each.adapter and not each.problem,
            problem=each.problem,
        )
        for each in brought()
    ]
    return list_plugins(arguments, place_of(launch), rows)


def _profile(arguments: Arguments) -> int:
    from protea.composition.profiles import ProfileShelf
    from protea.interfaces.commands.profile import run_profile

    launch = launch_of(arguments, interactive=True)
    if arguments.path[-1].name == "lock":
        import asyncio

        from protea.composition.locking import Locking
        from protea.interfaces.commands.profile import run_lock

        return asyncio.run(run_lock(arguments, place_of(launch), Locking(launch)))
    return run_profile(arguments, place_of(launch), ProfileShelf(launch))


def _doctor(arguments: Arguments) -> int:
    import asyncio

    from msgspec.structs import replace

    from protea._version import __version__
    from protea.composition.catalogue import EXTRAS
    from protea.composition.checkup import look_at_ports
    from protea.composition.root import Given, Root
    from protea.domain.providers import PROVIDERS, address_of
    from protea.interfaces.commands.doctor import Case, run_doctor

    launch = launch_of(arguments, interactive=True)
    if port := arguments.text("port"):
        return _doctor_of(port, arguments, launch)
    quiet = replace(launch, warn=lambda _: None)  # it is opened once more for its model, and warns then
    case = Case(
        version=__version__,
        environment=launch.environment,
        home=home_of(launch),
        keys=tuple(dict.fromkeys(name for row in PROVIDERS.values() for name in row.key_env)),
        extras=EXTRAS,
        address=lambda name: address_of(PROVIDERS[name], launch.environment) if name in PROVIDERS else "",
        gateway=lambda: gateway_of(launch),
        ports=lambda: look_at_ports(Root(quiet, Given())),
    )
    return asyncio.run(run_doctor(arguments, place_of(launch), case))


def _doctor_of(port: str, arguments: Arguments, launch: Launch) -> int:
    from protea.composition.checkup import look_at_port
    from protea.composition.root import Given, Root
    from protea.interfaces.commands.doctor import tell_findings

    return tell_findings(look_at_port(Root(launch, Given()), port), arguments, place_of(launch))


def _config(arguments: Arguments) -> int:
    from protea.composition.configuration import Configuration
    from protea.interfaces.commands.config import run_config

    launch = launch_of(arguments, interactive=True)
    if arguments.name == "config import":
        return _import(arguments, launch)
    return run_config(
        arguments, place_of(launch), Configuration(launch), lambda path: _edited(path, launch.environment)
    )


def _edited(path: str, environment: Mapping[str, str]) -> int:
    """The person's own editor on a file; its exit code."""
    import shlex
    import subprocess

    from protea.interfaces.terminal import is_terminal

    command = environment.get("VISUAL") or environment.get("EDITOR")
    if not command and not (is_terminal(0) and is_terminal(1)):
        raise mistake("the editor needs a terminal, and here is none; set EDITOR, or use: protea config set KEY VALUE")
    command = command or "vi"
    try:
        return subprocess.run([*shlex.split(command), path], check=False).returncode
    except (OSError, ValueError) as error:
        raise mistake(f"the editor {command!r} cannot be started: {error}; set EDITOR to another") from error


def _import(arguments: Arguments, launch: Launch) -> int:
    from protea.composition.adopting import Adoption
    from protea.interfaces.commands.adoption import run_import
    from protea.interfaces.terminal import is_terminal

    adoption = Adoption(launch, arguments.words[0], project=arguments.has("project"))
    return run_import(arguments, place_of(launch), adoption, _yes_or_no if is_terminal(0) and is_terminal(1) else None)


def _yes_or_no(question: str) -> bool:
    write(f"{question} [y/N] ")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _trust(arguments: Arguments) -> int:
    from protea.composition import trusting
    from protea.interfaces.commands import trust
    from protea.interfaces.terminal import is_terminal

    launch = launch_of(arguments, interactive=True)
    place, words = place_of(launch), arguments.words
    if words[:1] == ["list"] and len(words) == 1:
        return trust.tell_projects(arguments, place, trusting.trusted_projects(launch))
    if arguments.has("forget") or words[:1] == ["revoke"]:
        folders = words[1:] if words[:1] == ["revoke"] else words
        return trust.tell_forgotten(place, *trusting.forget_project(launch, folders[0] if folders else None))
    if words[:1] == ["list"]:
        raise mistake(f"protea trust list takes no arguments; {words[1]!r} is one too many")
    if words:
        raise mistake(f"protea trust takes list or revoke, not {words[0]!r}; -C DIR names another project")
    doubt = trusting.look_at_project(launch)
    if arguments.has("json"):
        return trust.tell_doubt(place, doubt.root, doubt.trusted, doubt.items)
    ask = input if is_terminal(0) and is_terminal(1) else None
    if not trust.may_trust(arguments, place, doubt.root, doubt.wide, doubt.items, ask):
        complain("nothing was trusted")
        return 1
    return trust.tell_trusted(place, *trusting.trust_project(launch))


def _piece(arguments: Arguments) -> int:
    """Commands about one port alone, which is opened for them."""
    import asyncio

    from protea.composition.root import Given, Root

    launch = launch_of(arguments, interactive=False)
    place, root = place_of(launch), Root(launch, Given())
    match arguments.path[0].name:
        case "memory":
            from protea.interfaces.commands.memory import run_memory

            return asyncio.run(run_memory(root.piece("memory"), arguments, place))
        case "tasks":
            from protea.interfaces.commands.tasks import run_tasks

            return asyncio.run(run_tasks(root.piece("task_runner"), arguments, place))
        case "skills":
            if arguments.name == "skills install":
                return _install(arguments, launch)
            from protea.composition.validating import check_skill, check_skills
            from protea.interfaces.commands.skills import run_skills, tell_faults

            if arguments.name == "skills validate" and arguments.words:
                return tell_faults(check_skills(arguments.words[0], launch.cwd), (), arguments, place)
            return asyncio.run(run_skills(root.piece("capability"), arguments, place, check_skill))
    from protea.interfaces.commands.schedule import run_schedule

    return run_schedule(root.piece("scheduler"), arguments, place)


def _install(arguments: Arguments, launch: Launch) -> int:
    from protea.composition.installing import Installing
    from protea.interfaces.terminal import is_terminal, one_line

    with Installing(launch, arguments.words[0], project=arguments.has("project")) as installing:
        found = installing.look()
        for each in found:
            write(f"{each.skill.name}: {one_line(each.skill.description)}\n")
            for name, size in each.files:
                write(f"  {one_line(name)}  {size} bytes\n")
            if each.skill.allowed_tools:
                write(f"  wants (and is not given): {one_line(' '.join(each.skill.allowed_tools))}\n")
            for fault in each.skill.faults:
                write(f"  {one_line(fault)}\n")
        if not arguments.has("yes"):
            if not (is_terminal(0) and is_terminal(1)):
                raise mistake("nothing was installed: say --yes once you have looked at it")
            if not _yes_or_no(f"Install in {one_line(installing.target)}?"):
                return 1
        installing.install(found)
        write(f"installed in {one_line(installing.target)}\n")
    return 0


def _sandbox(arguments: Arguments) -> int:
    import asyncio

    from protea.composition.resolve import Resolver
    from protea.composition.root import Given, Root
    from protea.composition.walls import SHORT, settle
    from protea.domain.environment import for_commands
    from protea.interfaces.commands.sandbox import Trial, run_sandbox

    launch = launch_of(arguments, interactive=False)
    root = Root(launch, Given())
    around = root.surroundings
    options = dict(root.settings.ports.get("sandbox", {}))
    # Without walls there is nothing to try: what is asked for by name, else what is set, else bubblewrap.
    configured = str(options.pop("adapter", ""))
    name = arguments.text("adapter") or (configured if configured not in ("", "none") else "bubblewrap")
    if (configured and name not in (configured, "auto")) or name == "none":
        lost = [key for key in options if key not in SHORT]
        if lost:
            launch.warn(f"{', '.join(lost)} of [ports.sandbox]: not used, {_whose_options(configured, name)}")
        options = {key: value for key, value in options.items() if key in SHORT and name != "none"}
    if arguments.has("network") and name != "none":
        options["network"] = True
    chosen = settle(name, options, around, launch.warn)
    sandbox = Resolver({"sandbox": chosen}, {"surroundings": around}).get("sandbox")
    trial = Trial(
        argv=tuple(arguments.words),
        cwd=around.cwd,
        environment=for_commands(around.environment),
        roots=(around.root, *around.add_dirs),
        network=True,
        timeout=arguments.number("timeout"),
    )
    return asyncio.run(run_sandbox(sandbox, trial, complain))


def _whose_options(configured: str, name: str) -> str:
    return "since without walls there is nothing to set" if name == "none" else f"since they are set for {configured}"


def _models(arguments: Arguments) -> int:
    import asyncio

    from msgspec.structs import replace

    from protea.composition.root import Given, Root
    from protea.domain.providers import PROVIDERS, is_own
    from protea.interfaces.commands.models import show_models
    from protea.ports.gateway import OpenSession

    launch = launch_of(arguments, interactive=False)
    root = Root(launch, Given())
    # What a session would be warned of (rules, instructions) is no news about models; that of the settings is told.
    quiet = Root(replace(launch, warn=lambda _: None), Given())
    provider = arguments.words[0] if arguments.words else None
    providers = ["offline", *dict.fromkeys((*PROVIDERS, *root.settings.providers))]

    async def run() -> int:
        models = quiet.assemble(OpenSession(cwd="")).models
        try:
            # A server of one's own says at once what it has, and nobody else knows.
            live = arguments.has("live") or (provider is not None and provider in PROVIDERS and is_own(f"{provider}/"))
            asked = live and provider != "offline" and provider in (None, *providers)
            complaints = await models.refresh(provider) if asked else ()
            found = models.list(provider)
            return show_models(arguments, place_of(launch), found, providers, complaints, complain, asked=asked)
        finally:
            await models.aclose()

    return asyncio.run(run())


_OWN: dict[str, Callable[[Arguments], int]] = {
    "config": _config,
    "doctor": _doctor,
    "memory": _piece,
    "models": _models,
    "perm": _perm,
    "plugins": _plugins,
    "ports": _ports,
    "profile": _profile,
    "sandbox": _sandbox,
    "schedule": _piece,
    "skills": _piece,
    "tasks": _piece,
    "trust": _trust,
}
"""Commands that need more of the composition than a gateway."""
