"""An agent inside another program.

Needs msgspec, tree-sitter, tree-sitter-bash.
"""

import asyncio
import sys

from protea import Agent


async def main(prompt: str) -> None:
    # model="anthropic/claude-sonnet-4-5" with ANTHROPIC_API_KEY set, and so on; the offline model needs no key.
    async with Agent(model="offline/grammar", cwd=".", allow=["Bash(ls:*)"]) as agent:
        run = await agent.ask(prompt)
        print(run.text)
        print(f"({run.outcome} after {run.turns} replies)", file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "run `ls src/protea`, then how many python files are in src"))
