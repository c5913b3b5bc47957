"""`protea models`: windows, prices and abilities, as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from protea.domain.columns import table
from protea.domain.errors import UsageError
from protea.domain.spelling import nearest
from protea.domain.usage import ModelInfo
from protea.interfaces.arguments import Arguments
from protea.interfaces.commands.telling import Place, as_json
from protea.interfaces.terminal import one_line


def show_models(
    arguments: Arguments,
    place: Place,
    models: Sequence[ModelInfo],
    providers: Sequence[str],
    complaints: Sequence[str],
    complain: Callable[[str], None],
    *,
    asked: bool,
) -> int:
    """Tell all of them, or one provider's. `complaints` say which provider could not be asked, a line each."""
    if arguments.words and arguments.words[0] not in providers:
        near = nearest(arguments.words[0], providers)
        mend = f"did you mean {near}?" if near else f"there are {', '.join(providers)}"
        raise UsageError(f"there is no provider {arguments.words[0]}; {mend}")
    for line in complaints:
        complain(line)
    if arguments.has("json"):
        place.write(as_json([msgspec.to_builtins(info) for info in models]))
        return 0
    rows = [[one_line(info.id), _count(info.context), *_prices(info), _abilities(info)] for info in models]
    head = ["MODEL", "CONTEXT", "$ PER MILLION IN/OUT", "CACHED", "CAN"]
    place.write(table(head, rows) or _none(arguments, asked=asked))
    return 0


def _none(arguments: Arguments, *, asked: bool) -> str:
    if arguments.words and not asked:
        return f"no models of {arguments.words[0]} are known; --live asks it for its list\n"
    return "no models are known\n"


def _count(tokens: int | None) -> str:
    if not tokens:
        return "-"
    return f"{tokens / 1_000_000:.3g}M" if tokens >= 1_000_000 else f"{tokens // 1000}k"


def _prices(info: ModelInfo) -> list[str]:
    price = info.price
    if price is None:
        return ["-", "-"]
    return [f"{price.input:g} / {price.output:g}", "-" if price.cache_read is None else f"{price.cache_read:g}"]


def _abilities(info: ModelInfo) -> str:
    known = {"images": info.images, "thinking": info.thinking}
    return ", ".join(name for name, has in known.items() if has) or "-"
