"""What the Gemini adapter sends: addresses, keys, schemas, efforts, and what goes back of a conversation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protea.adapters.models import gemini
from protea.adapters.models._gemini_schemas import openapi
from protea.domain.messages import (
    AssistantMessage,
    Content,
    Image,
    Message,
    Native,
    Other,
    Text,
    Thinking,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from protea.domain.reply import ModelRequest
from protea.domain.tools import ToolSpec
from protea.domain.usage import ModelInfo
from tests.adapters.http.loopback import reply, saying, serving
from tests.adapters.models import strict
from tests.adapters.models.recordings import ask, surroundings

HELLO = UserMessage((Text("hello"),))
PIXEL = Image("image/png", "aGVsbG8=")
LOOK = ToolSpec("Look", "Look at a file.", {"type": "object", "properties": {"path": {"type": "string"}}})
OLD, NEW = "gemini-2.5-flash", "gemini-3-flash-preview"


def model(name: str = OLD, **more: Any) -> gemini.GeminiModel:
    return gemini.create(gemini.Options(model=name, **more), surroundings=surroundings())


def sent(name: str, messages: tuple[Message, ...] = (HELLO,), **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(model(name).body(ModelRequest(messages, **more)))
    return body


def parts(name: str, *content: Content, by: str = "") -> list[dict[str, Any]]:
    """The parts that `content`, said by the model `by` (else by itself), goes back as."""
    said = AssistantMessage(content, by or f"gemini/{name}")
    contents = sent(name, (HELLO, said))["contents"]
    return contents[1]["parts"] if len(contents) > 1 else []


# -- addresses and keys


@pytest.mark.parametrize(
    ("base", "name", "where"),
    [
        ("https://g.example", OLD, f"https://g.example/v1beta/models/{OLD}"),
        ("https://g.example/", f"models/{OLD}", f"https://g.example/v1beta/models/{OLD}"),
        ("https://g.example/v1beta", OLD, f"https://g.example/v1beta/models/{OLD}"),
        ("https://g.example/v1beta/models/", OLD, f"https://g.example/v1beta/models/{OLD}"),
        ("https://g.example/v1alpha", "tunedModels/mine", "https://g.example/v1alpha/tunedModels/mine"),
        ("https://proxy.example/google", OLD, f"https://proxy.example/google/v1beta/models/{OLD}"),
        ("https://proxy.example/google?team=a", OLD, f"https://proxy.example/google/v1beta/models/{OLD}?team=a"),
        (
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4",
            OLD,
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4"
            f"/publishers/google/models/{OLD}",
        ),
        (
            "https://aiplatform.googleapis.com/v1beta1/projects/p/locations/global/publishers/google",
            f"publishers/google/models/{OLD}",
            f"https://aiplatform.googleapis.com/v1beta1/projects/p/locations/global/publishers/google/models/{OLD}",
        ),
        (
            "https://aiplatform.googleapis.com",
            OLD,
            f"https://aiplatform.googleapis.com/v1/publishers/google/models/{OLD}",
        ),
        (
            "https://aiplatform.googleapis.com/v1/projects/p/locations/l",
            "projects/p/locations/l/endpoints/7",
            "https://aiplatform.googleapis.com/v1/projects/p/locations/l/endpoints/7",
        ),
    ],
)
def test_addresses_are_taken_with_and_without_their_version(base: str, name: str, where: str) -> None:
    assert gemini._endpoint(base, name) == where


async def test_a_stream_asks_for_events_and_keys_and_tokens_have_headers_of_their_own() -> None:
    whole = json.dumps({"candidates": [{"content": {"parts": [{"text": "Hi."}]}, "finishReason": "STOP"}]}).encode()
    async with serving(saying(reply(whole))) as server:
        asked = gemini.Options(model=OLD, base_url=server.url + "/v1beta?team=a", key="AIzaKey")
        for options, stream in (
            (asked, True),
            (asked, False),
            (gemini.Options(model=OLD, base_url=server.url, key="ya29.token"), True),
        ):
            speaking = gemini.create(options, surroundings=surroundings())
            assert (await ask(speaking, ModelRequest((HELLO,), stream=stream))).reply is not None
            await speaking.aclose()
        assert [seen.target for seen in server.asked] == [
            f"/v1beta/models/{OLD}:streamGenerateContent?alt=sse&team=a",
            f"/v1beta/models/{OLD}:generateContent?team=a",
            f"/v1beta/models/{OLD}:streamGenerateContent?alt=sse",
        ]
        assert [seen.headers.get("x-goog-api-key") for seen in server.asked] == ["AIzaKey", "AIzaKey", None]
        assert server.asked[2].headers["authorization"] == "Bearer ya29.token"


# -- efforts, limits, schemas of answers


@pytest.mark.parametrize(
    ("name", "effort", "config"),
    [
        (OLD, "high", {"includeThoughts": True, "thinkingBudget": 24_576}),
        (OLD, "low", {"includeThoughts": True, "thinkingBudget": 2048}),
        (OLD, "off", {"thinkingBudget": 0}),
        ("gemini-2.5-pro", "max", {"includeThoughts": True, "thinkingBudget": 32_768}),
        ("gemini-2.5-pro", "none", {"thinkingBudget": 128}),
        (OLD, "unheard", {"includeThoughts": True, "thinkingBudget": -1}),
        (NEW, "minimal", {"includeThoughts": True, "thinkingLevel": "minimal"}),
        (NEW, "none", {"thinkingLevel": "minimal"}),
        ("gemini-3.8-flash", "none", {"thinkingLevel": "low"}),
        ("gemini-3-pro-preview", "medium", {"includeThoughts": True, "thinkingLevel": "high"}),
        ("gemini-3.1-pro-preview", "Medium", {"includeThoughts": True, "thinkingLevel": "medium"}),
        ("gemini-4-argon", "max", {"includeThoughts": True, "thinkingLevel": "high"}),
        ("gemini-flash-latest", "low", {"includeThoughts": True, "thinkingLevel": "low"}),
        ("gemini-2.0-flash", "high", None),
        ("gemini-2.0-flash-001", "high", None),
    ],
)
def test_effort_is_a_level_or_a_budget_as_the_model_has_it(name: str, effort: str, config: Any) -> None:
    assert sent(name, effort=effort)["generationConfig"].get("thinkingConfig") == config


def test_an_effort_its_row_lists_goes_as_it_is_and_none_asks_for_nothing() -> None:
    info = ModelInfo("gemini/gemini-5-neon", efforts=("low", "ultra"))
    asked = model("gemini-5-neon", info=info).body(ModelRequest((HELLO,), effort="ultra"))
    assert json.loads(asked)["generationConfig"]["thinkingConfig"]["thinkingLevel"] == "ultra"
    assert sent(NEW)["generationConfig"] == {}


def test_limits_and_stop_sequences_have_their_fields() -> None:
    config = sent(OLD, max_output=99, stop_sequences=("a", "", "b", "c", "d", "e", "f"))["generationConfig"]
    assert config == {"maxOutputTokens": 99, "stopSequences": ["a", "b", "c", "d", "e"]}


SCHEMA = {"$schema": "s", "type": "object", "properties": {"n": {"type": ["integer", "null"]}}, "required": ["n"]}


@pytest.mark.parametrize(
    ("name", "tools", "field"),
    [
        (NEW, (LOOK,), "responseJsonSchema"),
        (OLD, (), "responseJsonSchema"),
        (OLD, (LOOK,), None),  # the API refuses both together there
        ("gemini-2.0-flash", (), "responseSchema"),
    ],
)
def test_an_answer_by_a_schema_is_asked_for_where_the_model_takes_it(name: str, tools: Any, field: str | None) -> None:
    config = sent(name, tools=tools, schema=SCHEMA)["generationConfig"]
    if field is None:
        assert config == {}
        return
    assert config["responseMimeType"] == "application/json"
    assert "$schema" not in config[field]
    assert config[field]["required"] == ["n"]


def test_the_system_prompt_keeps_its_parts() -> None:
    assert sent(OLD, system=("Be kind.", "", "Be brief."))["systemInstruction"] == {
        "parts": [{"text": "Be kind."}, {"text": "Be brief."}]
    }


# -- schemas of tools


def nested(schema: dict[str, Any]) -> Any:
    """What becomes of `schema` as a parameter; None where the form cannot say it."""
    said = openapi({"type": "object", "properties": {"x": schema}})
    return None if said is None else said["properties"]["x"]


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string", "pattern": "^a", "title": "X", "default": "a"}, {"type": "STRING"}),
        ({"type": ["string", "null"]}, {"type": "STRING", "nullable": True}),
        ({"type": ["string", "integer"]}, {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]}),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "A name."},
            {"type": "STRING", "description": "A name.", "nullable": True},
        ),
        (
            {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}], "description": "Or more."},
            {
                "anyOf": [{"type": "STRING"}, {"type": "ARRAY", "items": {"type": "STRING"}}],
                "description": "Or more.",
            },
        ),
        ({"enum": ["a", "b"]}, {"type": "STRING", "enum": ["a", "b"]}),
        ({"const": "a"}, {"type": "STRING", "enum": ["a"]}),
        ({"type": "string", "enum": ["a", None]}, {"type": "STRING", "enum": ["a"], "nullable": True}),
        (
            {"type": "integer", "enum": [1, 2], "description": "How many."},
            {"type": "INTEGER", "description": "How many. One of: 1, 2"},
        ),
        ({"type": "string", "enum": ["", "a"]}, {"type": "STRING", "description": "One of: '', 'a'"}),
        ({"type": "string", "format": "uri"}, {"type": "STRING"}),
        ({"type": "string", "format": "date-time"}, {"type": "STRING", "format": "date-time"}),
        (
            {"type": "integer", "minimum": 1, "exclusiveMaximum": 9, "multipleOf": 2},
            {"type": "INTEGER", "minimum": 1},
        ),
        (
            {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a", "b"]}
            | {"additionalProperties": False, "propertyNames": {}},
            {"type": "OBJECT", "properties": {"a": {"type": "BOOLEAN"}}, "required": ["a"]},
        ),
        (
            {"allOf": [{"type": "object", "properties": {"a": {"type": "null"}}}]},
            None,
        ),
        ({}, None),
        ({"type": "object"}, None),
        ({"type": "object", "additionalProperties": {"type": "string"}}, None),
        ({"type": "array"}, None),
        ({"type": "array", "prefixItems": [{"type": "string"}]}, None),
        ({"$ref": "https://elsewhere.example/x"}, None),
        ({"$ref": "#/$defs/missing"}, None),
    ],
)
def test_schemas_of_parameters_are_said_in_the_wires_words_or_not_at_all(schema: Any, said: Any) -> None:
    assert nested(schema) == said


def test_references_are_filled_in_and_those_to_themselves_are_not_sayable() -> None:
    point = {"type": "object", "properties": {"x": {"type": "number"}}}
    schema = {"type": "object", "$defs": {"point": point}, "properties": {"at": {"$ref": "#/$defs/point"}}}
    assert openapi(schema) == {
        "type": "OBJECT",
        "properties": {"at": {"type": "OBJECT", "properties": {"x": {"type": "NUMBER"}}}},
    }
    tree = {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}}
    assert openapi({"type": "object", "$defs": {"tree": tree}, "properties": {"top": {"$ref": "#/$defs/tree"}}}) is None


def test_properties_of_all_of_are_joined() -> None:
    schema = {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"properties": {"b": {"type": "string"}}},
        ]
    }
    assert openapi(schema) == {
        "type": "OBJECT",
        "properties": {"a": {"type": "STRING"}, "b": {"type": "STRING"}},
        "required": ["a"],
    }


def test_a_tool_whose_schema_cannot_be_said_goes_with_the_schema_as_it_is() -> None:
    free = ToolSpec("Call", "Call.", {"type": "object", "properties": {"arguments": {"type": "object"}}})
    nothing = ToolSpec("Stop", "Stop.", {"type": "object", "properties": {}, "$schema": "s"})
    declared = sent(OLD, tools=(LOOK, free, nothing))["tools"][0]["functionDeclarations"]
    assert declared[0]["parameters"] == {"type": "OBJECT", "properties": {"path": {"type": "STRING"}}}
    assert declared[1] == {"name": "Call", "description": "Call.", "parametersJsonSchema": free.parameters}
    assert declared[2]["parameters"] == {"type": "OBJECT", "properties": {}}


# -- conversations


def test_signatures_go_back_where_they_were_and_only_to_the_model_that_gave_them() -> None:
    content = (
        Thinking("hm", "c2ln"),
        Text("Let me look."),
        ToolCall("gem_1", "Look", {}, signature="Zmlyc3Q="),
        ToolCall("gem_2", "Look", {}),
        Text("", "bGFzdA=="),
    )
    assert parts(OLD, *content) == [
        {"text": "hm", "thought": True, "thoughtSignature": "c2ln"},
        {"text": "Let me look."},
        {"functionCall": {"name": "Look", "args": {}}, "thoughtSignature": "Zmlyc3Q="},
        {"functionCall": {"name": "Look", "args": {}}},
        {"text": "", "thoughtSignature": "bGFzdA=="},
    ]
    for stranger in ("gemini/gemini-2.5-pro", "anthropic/claude-sonnet-4-5", ""):
        said = AssistantMessage(content, stranger)
        assert sent(OLD, (HELLO, said))["contents"][1]["parts"] == [
            {"text": "Let me look."},
            {"functionCall": {"name": "Look", "args": {}}},
            {"functionCall": {"name": "Look", "args": {}}},
        ]


def test_from_gemini_3_on_calls_of_other_models_get_the_manuals_stand_in_for_a_signature() -> None:
    calls = (ToolCall("toolu_1", "Look", {}), ToolCall("toolu_2", "Look", {}))
    strange = parts(NEW, Text("Let me look."), *calls, by="anthropic/claude")
    assert [part.get("thoughtSignature") for part in strange] == [None, "skip_thought_signature_validator", None]
    signed = parts(NEW, ToolCall("gem_1", "Look", {}, signature="Zmlyc3Q="), calls[1])
    assert [part.get("thoughtSignature") for part in signed] == ["Zmlyc3Q=", None]
    assert all("thoughtSignature" not in part for part in parts(OLD, *calls, by="anthropic/claude"))


def test_unknown_parts_go_back_whole_to_their_own_model() -> None:
    code = {"executableCode": {"code": "1"}, "thoughtSignature": "c2ln"}
    assert parts(OLD, Other("executableCode", code), Text("1")) == [code, {"text": "1"}]
    assert parts(OLD, Other("executableCode", code), Text("1"), by="gemini/other") == [{"text": "1"}]


def test_a_native_reply_goes_back_as_it_came() -> None:
    native = [{"text": "Hi.", "partMetadata": {"k": "v"}}]
    said = AssistantMessage((Text("Hi."),), f"gemini/{OLD}", Native("gemini", native))
    assert sent(OLD, (HELLO, said))["contents"][1]["parts"] == native
    assert sent(NEW, (HELLO, said))["contents"][1]["parts"] == [{"text": "Hi."}]


def test_a_reply_with_nothing_in_it_is_left_out() -> None:
    assert parts(OLD, Text("")) == []
    assert parts(OLD, Thinking("hm"), by="gemini/other") == []


def test_results_of_one_reply_are_one_turn_and_say_whether_they_failed() -> None:
    calls = (ToolCall("gem_1", "Look", {}), ToolCall("fc_7", "Look", {}), ToolCall("gem_2", "Read", {}))
    messages = (
        HELLO,
        AssistantMessage(calls, f"gemini/{OLD}"),
        ToolMessage("gem_1", "Look", "stars"),
        ToolMessage("fc_7", "Look", "no such file", is_error=True),
        ToolMessage("gem_2", "Read", ""),
        UserMessage((Text("Go on."),)),
    )
    body = sent(OLD, messages)
    assert strict.gemini(body) == []
    assert [call["functionCall"].get("id") for call in body["contents"][1]["parts"]] == [None, "fc_7", None]
    assert [part["functionResponse"] for part in body["contents"][2]["parts"]] == [
        {"name": "Look", "response": {"output": "stars"}},
        {"id": "fc_7", "name": "Look", "response": {"error": "no such file"}},
        {"name": "Read", "response": {"output": ""}},
    ]
    assert [content["role"] for content in body["contents"]] == ["user", "model", "user", "user"]


def test_ids_that_other_wires_gave_stay_off_this_one() -> None:
    messages = (
        HELLO,
        AssistantMessage((ToolCall("toolu_1", "Look", {}),), "anthropic/claude"),
        ToolMessage("toolu_1", "Look", "stars"),
    )
    assert "toolu_1" not in json.dumps(sent(OLD, messages))


def test_images_of_results_stand_in_them_from_gemini_3_on_and_behind_them_before() -> None:
    messages = (
        HELLO,
        AssistantMessage((ToolCall("gem_1", "Look", {}), ToolCall("gem_2", "Look", {})), "gemini/x"),
        ToolMessage("gem_1", "Look", "a picture", images=(PIXEL,)),
        ToolMessage("gem_2", "Look", "stars"),
    )
    inline = {"inlineData": {"mimeType": "image/png", "data": "aGVsbG8="}}
    before = sent(OLD, messages)["contents"][2]["parts"]
    assert [list(part) for part in before] == [["functionResponse"], ["functionResponse"], ["inlineData"]]
    assert before[2] == inline
    after = sent(NEW, messages)["contents"][2]["parts"]
    assert [list(part) for part in after] == [["functionResponse"], ["functionResponse"]]
    assert after[0]["functionResponse"]["parts"] == [inline]


def test_images_of_a_person_go_with_their_text() -> None:
    user = UserMessage((Text("What is it?"), PIXEL, Text("")))
    assert sent(OLD, (user,))["contents"][0]["parts"] == [
        {"text": "What is it?"},
        {"inlineData": {"mimeType": "image/png", "data": "aGVsbG8="}},
    ]


def test_arguments_that_were_no_object_go_back_inside_one() -> None:
    call = ToolCall("gem_1", "Look", arguments_text='{"path": ')
    assert parts(OLD, call) == [{"functionCall": {"name": "Look", "args": {"INVALID_JSON": '{"path": '}}}]


def test_two_replies_in_a_row_are_one_turn() -> None:
    messages = (
        HELLO,
        AssistantMessage((Text("One moment."),), "anthropic/claude"),
        AssistantMessage((ToolCall("toolu_1", "Look", {}),), "anthropic/claude"),
        ToolMessage("toolu_1", "Look", "stars"),
    )
    body = sent(OLD, messages)
    assert strict.gemini(body) == []
    assert [len(content["parts"]) for content in body["contents"]] == [1, 2, 1]


@pytest.mark.parametrize(
    ("base", "key", "header"),
    [
        ("https://aiplatform.googleapis.com/v1/projects/p/locations/l", "eyJhbGciOi.token", "Authorization"),
        ("https://us-central1-aiplatform.googleapis.com", "ya29.token", "Authorization"),
        ("https://aiplatform.googleapis.com", "AIzaKey", "x-goog-api-key"),
        ("https://aiplatform.googleapis.com", "AQ.express", "x-goog-api-key"),
        ("https://generativelanguage.googleapis.com", "ya29.token", "Authorization"),
        ("https://generativelanguage.googleapis.com", "anything", "x-goog-api-key"),
        ("https://gateway.example/aiplatform.", "anything", "x-goog-api-key"),
    ],
)
def test_tokens_and_keys_are_told_apart(base: str, key: str, header: str) -> None:
    assert list(gemini._key_header(gemini.Options(model=OLD, base_url=base, key=key))) == [header]
