"""What every `Tokens` keeps."""

from __future__ import annotations

from protea.domain.reply import ModelRequest
from protea.domain.usage import Usage
from protea.ports.tokens import Tokens
from protea.testing.conversations import conversation, prompt


class TokensContract:
    def tokens(self) -> Tokens:
        raise NotImplementedError

    def test_nothing_is_counted_as_less_than_one(self) -> None:
        assert self.tokens().message(prompt(""), "a/b") >= 1
        assert self.tokens().request(ModelRequest(()), "a/b") >= 1

    def test_more_text_is_more_tokens(self) -> None:
        tokens = self.tokens()
        counted = [tokens.message(prompt("word " * words), "a/b") for words in (10, 100, 1000)]
        assert counted == sorted(set(counted))

    def test_every_kind_of_message_is_counted(self) -> None:
        tokens = self.tokens()
        assert all(tokens.message(message, "a/b") >= 1 for message in conversation(2))

    def test_a_request_is_more_than_its_messages(self) -> None:
        tokens = self.tokens()
        messages = conversation(3)
        bare = tokens.request(ModelRequest(messages), "a/b")
        told = tokens.request(ModelRequest(messages, system=("Be kind. " * 200,)), "a/b")
        assert told > bare

    def test_the_same_question_has_the_same_answer(self) -> None:
        tokens = self.tokens()
        request = ModelRequest(conversation(3))
        assert tokens.request(request, "a/b") == tokens.request(request, "a/b")

    def test_figures_that_cannot_be_are_no_harm(self) -> None:
        tokens = self.tokens()
        request = ModelRequest(conversation(3))
        for figure in (0, -5, 1, 10**12):
            tokens.learn(request, "a/b", Usage(input=figure))
            assert tokens.request(request, "a/b") >= 1
