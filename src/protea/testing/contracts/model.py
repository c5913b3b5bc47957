"""What every `Model` keeps."""

from __future__ import annotations

from protea.domain.errors import ModelError
from protea.domain.messages import Text, UserMessage, text_of
from protea.domain.reply import ModelRequest, Reply, ReplyPiece, TextPiece
from protea.domain.tools import ToolSpec
from protea.ports.model import Model


def question(*, stream: bool = True) -> ModelRequest:
    """A small request with a bit of everything that stays the same from turn to turn."""
    tool = ToolSpec("Look", "Look at a file.", {"type": "object", "properties": {"path": {"type": "string"}}})
    return ModelRequest(
        (UserMessage((Text("What is in sky.txt?"),)),),
        system=("You are an agent.", "Today is a Saturday."),
        tools=(tool,),
        cache_key="s_1",
        stream=stream,
    )


class ModelContract:
    """Fill in `model`, and the rest where the adapter has an other side to count and to break."""

    async def model(self) -> Model:
        """One that answers any request, every time alike and with some text."""
        raise NotImplementedError

    def requests(self) -> int | None:
        """How many requests have reached the other side; None where there is no such thing."""
        return None

    async def broken_model(self) -> Model | None:
        """One whose every reply breaks off before its end; None where that cannot be."""
        return None

    async def test_its_name_is_provider_and_model(self) -> None:
        model = await self.model()
        provider, slash, name = model.info.id.partition("/")
        assert provider
        assert slash
        assert name
        await model.aclose()

    async def test_nothing_is_sent_before_the_stream_is_iterated(self) -> None:
        model = await self.model()
        before = self.requests()
        stream = model.stream(question())
        assert self.requests() == before
        assert [piece async for piece in stream]
        assert before is None or self.requests() == before + 1
        await model.aclose()

    async def test_the_last_piece_is_the_one_reply(self) -> None:
        model = await self.model()
        pieces = await _all(model, question())
        assert isinstance(pieces[-1], Reply)
        assert sum(isinstance(piece, Reply) for piece in pieces) == 1
        assert pieces[-1].model == model.info.id
        await model.aclose()

    async def test_the_pieces_add_up_to_the_reply(self) -> None:
        model = await self.model()
        pieces = await _all(model, question())
        reply = pieces[-1]
        assert isinstance(reply, Reply)
        text = "".join(piece.text for piece in pieces if isinstance(piece, TextPiece))
        assert text == text_of(reply.content) != ""
        await model.aclose()

    async def test_unstreamed_the_same_reply_comes_by_the_same_iterator(self) -> None:
        model = await self.model()
        pieces = await _all(model, question(stream=False))
        assert isinstance(pieces[-1], Reply)
        assert text_of(pieces[-1].content)
        await model.aclose()

    async def test_two_calls_know_nothing_of_each_other(self) -> None:
        model = await self.model()
        first, second = await _all(model, question()), await _all(model, question())
        assert first[-1] == second[-1]
        await model.aclose()

    async def test_a_stream_can_be_left_and_another_begun(self) -> None:
        model = await self.model()
        stream = model.stream(question())
        assert await anext(stream)
        await stream.aclose()
        assert isinstance((await _all(model, question()))[-1], Reply)
        await model.aclose()

    async def test_a_reply_that_breaks_off_is_an_error_and_no_reply(self) -> None:
        model = await self.broken_model()
        if model is None:
            return
        pieces: list[ReplyPiece] = []
        failed: ModelError | None = None
        try:
            async for piece in model.stream(question()):
                pieces.append(piece)
        except ModelError as exc:
            failed = exc
        assert failed is not None
        assert failed.failure.message
        assert not any(isinstance(piece, Reply) for piece in pieces)
        await model.aclose()


async def _all(model: Model, request: ModelRequest) -> list[ReplyPiece]:
    return [piece async for piece in model.stream(request)]
