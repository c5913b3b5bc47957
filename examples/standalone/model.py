"""A model alone: ask, and print what comes as it comes.

Needs msgspec.
"""

import asyncio
import sys

from protea.adapters.models.offline import Options, create
from protea.domain.messages import Text, UserMessage
from protea.domain.reply import ModelRequest, Reply, TextPiece


async def main(prompt: str) -> None:
    # The offline model needs no key. Any other is made the same way, from its own module:
    # anthropic.create(anthropic.Options(model=…, key=…), surroundings=…)
    model = create(Options())
    async for piece in model.stream(ModelRequest(messages=(UserMessage((Text(text=prompt),)),))):
        match piece:
            case TextPiece(text=text):
                print(text, end="", flush=True)
            case Reply(stop=stop, usage=usage):
                print(f"\n({model.info.id} stopped: {stop}, {usage.input} tokens in, {usage.output} out)")
    await model.aclose()


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "What can you do?"))
