"""What one command does, as far as its words tell: reads, writes, removals, and whether that is all.

A row of the table for the commands everybody uses to look around, and a function each for those whose operands are
programs of their own (find, sed, awk …). An option that is not in the table makes the command one that asks. The
adapter looks up the paths that are named here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from protea.domain.permission.programs import languages, particular
from protea.domain.permission.programs.git import study_git
from protea.domain.permission.programs.options import Study, UnfitError, Use, assign, read_options
from protea.domain.permission.programs.searching import GREP, RG, finding, searching
from protea.domain.permission.programs.table import OPTIONS_FIRST, specs
from protea.domain.permission.programs.writing import beyond_reading
from protea.domain.permission.shell.script import Word

SPECIAL: dict[str, Callable[[Sequence[Word], list[Use]], None]] = {
    "grep": lambda words, uses: searching(words, uses, GREP, False),
    "egrep": lambda words, uses: searching(words, uses, GREP, False),
    "fgrep": lambda words, uses: searching(words, uses, GREP, False),
    "rg": lambda words, uses: searching(words, uses, RG, True),
    "find": lambda words, uses: finding(words, uses, study),
    "sed": languages.sed,
    "awk": languages.awk,
    "gawk": languages.awk,
    "mawk": languages.awk,
    "jq": languages.jq,
    "test": particular.test,
    "[": particular.test,
    "sort": particular.sort,
    "diff": particular.diff,
    "date": particular.date,
    "ps": particular.ps,
    "printf": particular.printf,
    "command": particular.command,
    "cd": particular.cd,
    "tar": particular.tar,
    "unzip": particular.unzip,
    "xargs": lambda words, uses: particular.xargs(words, uses, study),
    "set": particular.set_options,
    "pip": particular.pip,
    "pip3": particular.pip,
}
"""Commands that a row cannot describe."""


def study(words: Sequence[Word]) -> Study:
    """What these words do. Never raises."""
    if not words or not words[0].known or words[0].glob is not None:
        return Study(False, "the command's name is not literal")
    name = words[0].text
    uses: list[Use] = []
    if name == "git":
        return study_git(words)
    if particular.asks_for_version(words, uses):
        return Study(True, uses=tuple(uses), known=True)
    try:
        special = SPECIAL.get(name)
        if special is not None:
            special(words, uses)
        else:
            row = specs().get(name)
            if row is None:
                raise UnfitError(f"{name[:60]} is not known to only read")
            operands, _ = read_options(words, row, uses, ordered=name in OPTIONS_FIRST)
            assign(operands, row.operands, uses)
    except UnfitError as unfit:
        return beyond_reading(words, str(unfit))
    return Study(True, uses=tuple(uses), known=True)
