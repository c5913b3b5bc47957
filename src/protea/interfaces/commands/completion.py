"""`protea completion SHELL`: completions made from the table of commands and flags."""

from __future__ import annotations

from collections.abc import Iterator

from protea.domain.errors import UsageError
from protea.domain.spelling import nearest
from protea.interfaces.manual import COMMANDS, Command, Flag, flags_of

SHELLS = ("bash", "zsh", "fish")


def script(shell: str) -> str:
    """The script to be sourced. Raises `UsageError` for other shells."""
    match shell:
        case "bash":
            return _bash()
        case "zsh":
            return _zsh()
        case "fish":
            return _fish()
    near = nearest(shell, SHELLS)
    raise UsageError(f"no completion for '{shell}'; " + (f"did you mean {near}?" if near else "bash, zsh or fish"))


def _places() -> Iterator[tuple[str, tuple[Command, ...]]]:
    """Every place on the command line: what was typed before it, and the commands that mean it."""
    yield "", ()
    for each in COMMANDS:
        yield each.name, (each,)
        for sub in each.subcommands:
            yield f"{each.name} {sub.name}", (each, sub)


def _following(path: tuple[Command, ...]) -> list[str]:
    """The words that may follow: commands, second words, or a closed choice."""
    if not path:
        return [each.name for each in COMMANDS]
    if path[-1].name == "completion":
        return list(SHELLS)
    return [each.name for each in path[-1].subcommands]


def _flag_names(path: tuple[Command, ...]) -> list[str]:
    return [name for flag in flags_of(path) for name in flag.names]


def _all_flags() -> dict[str, Flag]:
    return {name: flag for _, path in _places() for flag in flags_of(path) for name in flag.names}


def _takes(flag: Flag) -> str:
    """What a flag's value is, for completion: `files`, `directories`, its choices, or nothing known."""
    if flag.choices:
        return " ".join(flag.choices)
    return {"DIR": "directories", "FILE": "files"}.get(flag.metavar, "")


def _bash() -> str:
    places = "\n".join(
        f'        "{place}") words="{" ".join([*_following(path), *_flag_names(path)])}" ;;'
        for place, path in _places()
    )
    values: dict[str, list[str]] = {}
    for name, flag in _all_flags().items():
        if flag.metavar:
            values.setdefault(_takes(flag), []).append(name)
    actions = {"directories": "compgen -d", "files": "compgen -f"}
    cases = "\n".join(
        f'        {"|".join(names)}) mapfile -t COMPREPLY < <({actions.get(what, _words(what))} -- "$word"); return ;;'
        for what, names in values.items()
    )
    firsts = "|".join(each.name for each in COMMANDS)
    return f"""# protea completion bash >> ~/.bashrc, or into a file of bash-completion
_protea() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" place="" words="" each index
    case "$before" in
{cases}
    esac
    for ((index = 1; index < COMP_CWORD; index++)); do
        each="${{COMP_WORDS[index]}}"
        case "$each" in
            -*) ;;
            *)
                if [ -n "$place" ]; then place="$place $each"; break; fi
                case "$each" in {firsts}) place="$each" ;; esac ;;
        esac
    done
    case "$place" in
{places}
        *) case "${{place%% *}}" in
            completion) words="" ;;
        esac ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    [ ${{#COMPREPLY[@]}} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$word")
}}
complete -F _protea protea
"""


def _words(choices: str) -> str:
    return f'compgen -W "{choices}"'


def _zsh() -> str:
    def quoted(text: str) -> str:
        return text.replace("'", "'\\''").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")

    def specs(path: tuple[Command, ...]) -> str:
        lines = []
        for flag in flags_of(path):
            value = ""
            if flag.metavar:
                what = _takes(flag)
                action = {"directories": "_files -/", "files": "_files", "": ""}.get(what, f"({what})")
                optional = ":" if flag.metavar.startswith("[") else ""
                value = f"{optional}:{quoted(flag.metavar.strip('[]').lower())}:{action}"
            for name in flag.names:
                # zsh's own marks: `=` lets the value follow after `=`, too
                sign = "=" if value and name.startswith("--") else ""
                star = "*" if flag.repeat else ""
                lines.append(f"'{star}{name}{sign}[{quoted(flag.help)}]{value}'")
        return " ".join(lines)

    def described(commands: tuple[Command, ...]) -> str:
        return " ".join(f"'{each.name}:{quoted(each.help)}'" for each in commands)

    cases = []
    for each in COMMANDS:
        if each.subcommands:
            subs = "\n".join(
                f"                    {sub.name}) _arguments {specs((each, sub))} '*::argument:_files' ;;"
                for sub in each.subcommands
            )
            cases.append(
                f"            {each.name})\n"
                f"                local -a words_{each.name}=({described(each.subcommands)})\n"
                f"                if (( CURRENT == 2 )); then _describe word words_{each.name}; else\n"
                f"                    shift words; (( CURRENT-- ))\n"
                f"                    case $words[1] in\n{subs}\n                    esac\n"
                f"                fi ;;"
            )
        else:
            following = _following((each,))
            argument = f"'1:{each.arguments.lower()}:({' '.join(following)})'" if following else "'*::argument:_files'"
            cases.append(f"            {each.name}) _arguments {specs((each,))} {argument} ;;")
    body = "\n".join(cases)
    return f"""#compdef protea
# protea completion zsh > a file _protea in a folder of $fpath
_protea() {{
    local -a commands=({described(COMMANDS)})
    local context state line
    _arguments -C {specs(())} '1: :->command' '*:: :->rest'
    case $state in
        command) _describe command commands ;;
        rest) case $words[1] in
{body}
        esac ;;
    esac
}}
if [ "$funcstack[1]" = "_protea" ]; then _protea "$@"; else compdef _protea protea; fi
"""


def _fish() -> str:
    def quoted(text: str) -> str:
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def flag_line(condition: str, flag: Flag) -> str:
        parts = [f"complete -c protea -n {quoted(condition)}"]
        for name in flag.names:
            parts.append(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}")
        if flag.metavar and not flag.metavar.startswith("["):
            what = _takes(flag)
            parts.append("-r" + (" -F" if what == "files" else ""))
            if what == "directories":
                parts.append("-f -a '(__fish_complete_directories)'")
            elif what and what != "files":
                parts.append(f"-f -a {quoted(what)}")
        parts.append(f"-d {quoted(flag.help)}")
        return " ".join(parts)

    names = " ".join(each.name for each in COMMANDS)
    none = f"not __fish_seen_subcommand_from {names}"
    lines = ["# protea completion fish > ~/.config/fish/completions/protea.fish"]
    for each in COMMANDS:
        lines.append(f"complete -c protea -n {quoted(none)} -a {each.name} -d {quoted(each.help)}")
    lines += [flag_line(none, flag) for flag in flags_of(())]
    for each in COMMANDS:
        here = f"__fish_seen_subcommand_from {each.name}"
        subs = " ".join(sub.name for sub in each.subcommands)
        for word in _following((each,)):
            about = next((sub.help for sub in each.subcommands if sub.name == word), "")
            condition = f"{here}; and not __fish_seen_subcommand_from {subs}" if subs else here
            lines.append(f"complete -c protea -f -n {quoted(condition)} -a {word} -d {quoted(about)}")
        for sub in each.subcommands:
            lines += [
                flag_line(f"{here}; and __fish_seen_subcommand_from {sub.name}", flag) for flag in flags_of((each, sub))
            ]
        if not each.subcommands:
            lines += [flag_line(here, flag) for flag in flags_of((each,))]
    return "\n".join(lines) + "\n"
