"""Facts about the wires that no recording at hand shows, each as the smallest stream that has it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from protea.adapters.models.anthropic import _Assembly as AnthropicAssembly
from protea.adapters.models.openai_chat import ChatAssembly
from protea.adapters.models.openai_responses import ResponsesAssembly
from protea.domain.errors import ModelError
from protea.domain.messages import Other, Text, Thinking, ToolCall, calls_of, text_of
from protea.domain.reply import Reply


def fed(assembly: Any, events: list[Any]) -> Any:
    for event in events:
        assembly.feed(event if isinstance(event, bytes) else json.dumps(event).encode())
    return assembly


def anthropic(*events: Any) -> Reply:
    assembly = fed(AnthropicAssembly("anthropic", "anthropic/c"), [*events, {"type": "message_stop"}])
    assert assembly.over
    return assembly.reply()


def start(**usage: int) -> dict[str, Any]:
    return {"type": "message_start", "message": {"content": [], "usage": usage}}


def block(index: int, content: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": content},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def end(reason: str | None, usage: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason, **more}, "usage": usage}


def arguments(text: str) -> dict[str, Any]:
    return {"type": "input_json_delta", "partial_json": text}


def call(name: str = "Look", **more: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}, **more}


# -- Anthropic


def test_usage_at_the_end_replaces_and_what_it_leaves_out_stays() -> None:
    reply = anthropic(
        start(input_tokens=2479, output_tokens=1, cache_read_input_tokens=7, cache_creation_input_tokens=5),
        end("end_turn", {"input_tokens": 404500, "output_tokens": 20}),
    )
    assert (reply.usage.input, reply.usage.output) == (404500 + 12, 20)
    assert (reply.usage.cache_read, reply.usage.cache_write) == (7, 5)


def test_a_call_without_parameters_has_empty_arguments() -> None:
    reply = anthropic(start(), *block(0, call(), arguments("")), end("tool_use"))
    assert calls_of(reply.content) == (ToolCall("toolu_1", "Look", {}),)


def test_a_call_cut_off_before_its_arguments_is_no_call_without_arguments() -> None:
    reply = anthropic(start(), *block(0, call(), arguments("")), end("max_tokens"))
    assert reply.stop == "length"
    assert calls_of(reply.content)[0].arguments is msgspec.UNSET


@pytest.mark.parametrize("text", ['{"a": 1', "[1]", '"x"', "{'a': 1}", "1"])
def test_arguments_that_are_no_object_are_kept_as_text(text: str) -> None:
    reply = anthropic(start(), *block(0, call(), arguments(text)), end("tool_use"))
    assert calls_of(reply.content) == (ToolCall("toolu_1", "Look", arguments_text=text),)


def test_big_integers_keep_every_digit() -> None:
    reply = anthropic(start(), *block(0, call(), arguments('{"n": 9007199254740993}')), end("tool_use"))
    assert calls_of(reply.content)[0].arguments == {"n": 9007199254740993}


def test_a_programmatic_call_has_its_whole_input_at_its_start_and_goes_back_with_its_caller() -> None:
    caller = {"type": "code_execution_20260120", "tool_id": "srvtoolu_1"}
    given = call(caller=caller) | {"input": {"path": "x"}}
    reply = anthropic(start(), *block(0, given), end("tool_use"))
    assert calls_of(reply.content)[0].arguments == {"path": "x"}
    assert reply.native is not None
    assert reply.native.content == [given]


def test_a_reply_may_be_whole_in_its_first_event() -> None:
    message = {
        "content": [{"type": "text", "text": "Done."}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 5, "output_tokens": 3},
    }
    reply = anthropic({"type": "message_start", "message": message})
    assert (text_of(reply.content), reply.stop, reply.usage.output) == ("Done.", "end_turn", 3)


def test_server_tools_stream_arguments_and_are_no_calls() -> None:
    server = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    reply = anthropic(start(), *block(0, server, arguments('{"query":'), arguments('"x"}')), end("pause_turn"))
    assert calls_of(reply.content) == ()
    assert reply.stop == "pause"
    assert reply.content == (Other("server_tool_use", server | {"input": {"query": "x"}}),)


def test_a_refusal_may_have_no_block_and_says_why() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "Not this."}
    reply = anthropic(start(), end("refusal", stop_details=details))
    assert (reply.content, reply.stop, reply.detail) == ((), "refusal", "Not this.")
    assert anthropic(start(), end("refusal", stop_details=None)).detail is None


def test_blocks_of_kinds_to_come_are_kept_whole() -> None:
    compaction = {"type": "compaction", "content": None}
    grown = [{"type": "compaction_delta", "content": "We "}, {"type": "compaction_delta", "content": "talked."}]
    reply = anthropic(start(), *block(0, compaction, *grown), end("end_turn"))
    assert reply.native is not None
    assert reply.native.content == [{"type": "compaction", "content": "We talked."}]


def test_blocks_are_told_apart_by_index_also_when_they_interleave() -> None:
    first, second = block(0, call()), block(1, call() | {"id": "toolu_2"})
    mixed = [
        first[0],
        second[0],
        {"type": "content_block_delta", "index": 1, "delta": arguments('{"n": 2}')},
        {"type": "content_block_delta", "index": 0, "delta": arguments('{"n": 1}')},
    ]
    reply = anthropic(start(), *mixed, end("tool_use"))
    assert [c.arguments for c in calls_of(reply.content)] == [{"n": 1}, {"n": 2}]


def test_plain_replies_need_nothing_native() -> None:
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    reply = anthropic(
        start(),
        *block(0, thinking, {"type": "signature_delta", "signature": "s"}),
        *block(1, {"type": "text", "text": "", "citations": None}, {"type": "text_delta", "text": "Yes."}),
        *block(2, {"type": "text", "text": ""}),
        end("end_turn"),
    )
    assert reply.native is None
    assert reply.content == (Thinking("", "s"), Text("Yes."))


def test_a_tool_call_that_ends_as_if_it_were_text_is_still_a_call() -> None:
    assert anthropic(start(), *block(0, call()), end("end_turn")).stop == "tool_calls"


# -- Chat Completions


def chat(*events: Any) -> Reply:
    assembly = fed(ChatAssembly("acme", "acme/m"), list(events))
    assert assembly.ended
    return assembly.reply()


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish}], **more}


def piece(index: int | None, text: str, call_id: str | None = None, name: str | None = None) -> dict[str, Any]:
    item: dict[str, Any] = {"function": {"arguments": text}}
    if index is not None:
        item["index"] = index
    if call_id is not None:
        item["id"] = call_id
    if name is not None:
        item["function"]["name"] = name
    return chunk({"tool_calls": [item]})


def test_indexes_may_begin_at_one() -> None:
    reply = chat(piece(1, "", "a", "Look"), piece(1, '{"n":1}'), piece(2, '{"n":2}', "b", "Look"), chunk(None, "stop"))
    assert calls_of(reply.content) == (ToolCall("a", "Look", {"n": 1}), ToolCall("b", "Look", {"n": 2}))
    assert reply.stop == "tool_calls"


def test_indexes_may_be_missing() -> None:
    reply = chat(
        piece(None, '{"n":', "a", "Look"), piece(None, "1}"), piece(None, "{}", "b", "Look"), chunk(None, "tool_calls")
    )
    assert calls_of(reply.content) == (ToolCall("a", "Look", {"n": 1}), ToolCall("b", "Look", {}))


def test_two_calls_in_one_delta_without_indexes_are_two() -> None:
    items = [{"id": i, "function": {"name": "Look", "arguments": "{}"}} for i in ("a", "b")]
    reply = chat(chunk({"tool_calls": items}), chunk(None, "tool_calls"))
    assert [c.id for c in calls_of(reply.content)] == ["a", "b"]


def test_calls_without_ids_get_distinct_ones() -> None:
    given = ["", None, "x", "x"]
    reply = chat(*(piece(n, "{}", i, "Look") for n, i in enumerate(given)), chunk(None, "tool_calls"))
    ids = [c.id for c in calls_of(reply.content)]
    assert len(set(ids)) == 4
    assert all(ids)
    assert "x" in ids


def test_a_call_may_be_said_as_it_was_before_there_could_be_several() -> None:
    reply = chat(
        chunk({"function_call": {"name": "Look", "arguments": ""}}),
        chunk({"function_call": {"arguments": '{"n":'}}),
        chunk({"function_call": {"arguments": "1}"}}),
        chunk(None, "function_call"),
    )
    (call,) = calls_of(reply.content)
    assert (call.name, call.arguments, reply.stop) == ("Look", {"n": 1}, "tool_calls")
    assert call.id


def test_a_call_with_free_text_is_one_whose_arguments_are_no_json() -> None:
    item = {"index": 0, "id": "a", "type": "custom", "custom": {"name": "Patch", "input": "*** Begin"}}
    (call,) = calls_of(chat(chunk({"tool_calls": [item]}), chunk(None, "tool_calls")).content)
    assert (call.name, call.arguments_text) == ("Patch", "*** Begin")


def test_kimi_says_its_usage_in_the_choice() -> None:
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": {"prompt_tokens": 9}}]}
    assert chat(chunk({"content": "Hi."}), last).usage.input == 9
    assert chat(chunk(None, "stop", usage={"prompt_tokens": 9, "cached_tokens": 4})).usage.cache_read == 4


@pytest.mark.parametrize(
    ("reason", "stop"),
    [("STOP", "end_turn"), ("COMPLETE", "end_turn"), ("MAX_TOKENS", "length"), ("stop_sequence", "stop_sequence")],
)
def test_the_reasons_of_other_servers_are_understood(reason: str, stop: str) -> None:
    assert chat(chunk({"content": "Hi."}, reason)).stop == stop


def test_an_error_that_is_none_and_a_reason_that_is_none_end_nothing() -> None:
    reply = chat(
        chunk({"content": "a"}, "", error=""), chunk({"content": "b"}, "", error=None), chunk({"content": "c"}, "stop")
    )
    assert text_of(reply.content) == "abc"


def test_arguments_may_come_as_an_object() -> None:
    item = {"index": 0, "id": "a", "function": {"name": "Look", "arguments": {"n": 1}}}
    reply = chat(chunk({"tool_calls": [item]}), chunk(None, "tool_calls"))
    assert calls_of(reply.content)[0].arguments == {"n": 1}


def test_fields_a_server_hangs_on_a_call_go_back_with_it() -> None:
    extra = {"google": {"thought_signature": "s"}}
    item = {"index": 0, "id": "a", "type": "function", "function": {"name": "Look", "arguments": "{}"}}
    reply = chat(chunk({"tool_calls": [item | {"extra_content": extra}]}), chunk(None, "tool_calls"))
    assert reply.native is not None
    assert reply.native.content["tool_calls"][0]["extra_content"] == extra


def test_the_first_chunk_may_have_no_choices() -> None:
    reply = chat({"choices": [], "prompt_filter_results": []}, chunk({"content": "Yes."}), chunk(None, "stop"))
    assert text_of(reply.content) == "Yes."


def test_a_refusal_is_told_and_is_no_answer() -> None:
    reply = chat(chunk({"refusal": "I "}), chunk({"refusal": "won't."}), chunk(None, "stop"), b"[DONE]")
    assert (reply.stop, reply.detail, text_of(reply.content)) == ("refusal", "I won't.", "")


def test_reasoning_under_two_names_at_once_is_shown_once() -> None:
    both = {"reasoning": "Hm.", "reasoning_content": "Hm."}
    details = {"reasoning_details": [{"type": "reasoning.text", "text": "Hm.", "index": 0}]}
    assert chat(chunk(both), chunk(None, "stop")).content == (Thinking("Hm."),)
    assert chat(chunk({"reasoning": "Hm."} | details), chunk(None, "stop")).content == (Thinking("Hm."),)
    assert chat(chunk(details), chunk(None, "stop")).content == (Thinking("Hm."),)


def test_content_may_be_a_list_with_thinking_in_it() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Yes."}]
    assert chat(chunk({"content": parts}), chunk(None, "stop")).content == (Thinking("Hm."), Text("Yes."))


def test_done_ends_a_reply_without_a_finish_reason_but_not_an_empty_one() -> None:
    assert chat(chunk({"content": "4"}), b"[DONE]").stop == "other"
    assert fed(ChatAssembly("acme", "acme/m"), [b"[DONE]"]).ended is False


def test_all_of_the_output_may_have_been_thought() -> None:
    reply = chat(chunk({"content": ""}), chunk(None, "length"), {"choices": [], "usage": {"completion_tokens": 9}})
    assert (reply.content, reply.stop, reply.usage.output) == ((), "length", 9)


def test_output_that_leaves_reasoning_out_is_mended_by_the_total() -> None:
    usage = {"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135, "reasoning_tokens": 94}
    assert chat(chunk(None, "stop", usage=usage)).usage.output == 103
    usage = {"prompt_tokens": 32, "completion_tokens": 103, "total_tokens": 135, "reasoning_tokens": 94}
    assert chat(chunk(None, "stop", usage=usage)).usage.output == 103


def test_groqs_usage_stands_under_a_name_of_its_own() -> None:
    assert chat(chunk(None, "stop", x_groq={"id": "r", "usage": {"prompt_tokens": 3}})).usage.input == 3


def test_deepseek_names_its_cache_otherwise() -> None:
    usage = {"prompt_tokens": 30, "prompt_cache_hit_tokens": 20, "prompt_cache_miss_tokens": 10}
    assert chat(chunk(None, "stop", usage=usage)).usage.cache_read == 20


@pytest.mark.parametrize("reason", ["error", "insufficient_system_resource"])
def test_a_finish_reason_may_be_a_failure(reason: str) -> None:
    with pytest.raises(ModelError) as caught:
        chat(chunk({"content": "half"}), chunk(None, reason))
    assert caught.value.failure.retryable


def test_an_error_after_the_finish_reason_is_still_an_error() -> None:
    with pytest.raises(ModelError):
        chat(chunk(None, "length"), chunk(None, None, error={"code": 400, "message": "Token limit reached"}), b"[DONE]")


def test_a_call_cut_off_by_the_length_is_no_call_without_arguments() -> None:
    reply = chat(piece(0, "{}", "a", "Look"), piece(1, "", "b", "Look"), chunk(None, "length"))
    assert [c.arguments for c in calls_of(reply.content)] == [{}, msgspec.UNSET]


# -- Responses


def responses(*events: Any) -> Reply:
    assembly = fed(ResponsesAssembly("openai", "openai/m"), list(events))
    assert assembly.over
    return assembly.reply()


def done(index: int, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def finished(kind: str = "completed", **response: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "response": {"status": kind, **response}}


FUNCTION = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "Look", "arguments": '{"n":1}'}


def test_results_go_by_the_call_id_and_not_by_the_items_id() -> None:
    assert calls_of(responses(done(0, FUNCTION), finished(output=[])).content) == (
        ToolCall("call_1", "Look", {"n": 1}),
    )


def test_items_keep_their_place_whatever_their_ids_and_order() -> None:
    reply = responses(done(1, FUNCTION | {"id": "other"}), done(0, FUNCTION | {"call_id": "call_0"}), finished())
    assert [c.id for c in calls_of(reply.content)] == ["call_0", "call_1"]


def test_the_limit_of_output_ends_in_another_event() -> None:
    reply = responses(
        done(0, {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}),
        finished("incomplete", incomplete_details={"reason": "max_output_tokens"}),
    )
    assert (reply.stop, reply.detail, reply.content) == ("length", "max_output_tokens", ())
    assert reply.native is not None
    filtered = responses(finished("incomplete", incomplete_details={"reason": "content_filter"}))
    assert filtered.stop == "content_filter"


def test_a_refusal_is_a_part_of_a_message() -> None:
    item = {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
    reply = responses({"type": "response.refusal.delta", "delta": "No."}, done(0, item), finished(output=[item]))
    assert (reply.stop, reply.detail, text_of(reply.content)) == ("refusal", "No.", "")


def test_the_error_event_may_be_flat_or_nested() -> None:
    said = {"type": "server_error", "code": "rate_limit_exceeded", "message": "slow down", "param": None}
    for event in ({**said, "type": "error"}, {"type": "error", "error": said}, finished("failed", error=said)):
        with pytest.raises(ModelError) as caught:
            responses(event)
        assert (caught.value.failure.kind, caught.value.failure.code) == ("rate_limit", "rate_limit_exceeded")
        assert "slow down" in str(caught.value)


def test_events_and_items_to_come_pass() -> None:
    custom = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c", "name": "grammar", "input": "x"}
    reply = responses({"type": "keepalive"}, {"type": "response.queued"}, done(0, custom), finished())
    assert reply.content == (Other("custom_tool_call", custom),)
    assert calls_of(reply.content) == ()


def test_text_without_items_is_not_lost() -> None:
    event = {"type": "response.output_text.delta", "output_index": 0, "delta": "Yes."}
    assert text_of(responses(event, finished(output=[])).content) == "Yes."
