"""What every `Toolset` keeps."""

from __future__ import annotations

import msgspec

from protea.domain.schema import problems
from protea.ports.toolset import Toolset


class ToolsetContract:
    def toolset(self) -> Toolset:
        """The toolset under test; the same one at every call within one test."""
        raise NotImplementedError

    def test_specs_are_the_same_at_every_look(self) -> None:
        first = msgspec.json.encode(self.toolset().specs())
        assert first == msgspec.json.encode(self.toolset().specs())

    def test_names_are_unique_and_fit_every_provider(self) -> None:
        names = [spec.name for spec in self.toolset().specs()]
        assert len(names) == len(set(names))
        for name in names:
            assert 0 < len(name) <= 64
            assert name.isascii()
            assert name.replace("_", "").replace("-", "").isalnum()

    def test_every_tool_can_be_opened_and_says_the_same_of_itself(self) -> None:
        for spec in self.toolset().specs():
            tool = self.toolset().tool(spec.name)
            assert tool is not None
            assert tool.spec == spec

    def test_an_unknown_name_opens_nothing(self) -> None:
        assert self.toolset().tool("no such tool") is None

    def test_parameters_are_an_object_schema(self) -> None:
        for spec in self.toolset().specs():
            assert spec.description
            assert spec.parameters["type"] == "object"
            properties = spec.parameters.get("properties", {})
            assert set(spec.parameters.get("required", ())) <= set(properties)
            assert set(spec.aliases.values()) <= set(properties)
            assert not set(spec.aliases) & set(properties)

    def test_an_example_fits_the_parameters(self) -> None:
        for spec in self.toolset().specs():
            assert spec.example is None or problems(spec.example, spec.parameters) == []

    async def test_closing_twice_is_harmless(self) -> None:
        await self.toolset().aclose()
        await self.toolset().aclose()
