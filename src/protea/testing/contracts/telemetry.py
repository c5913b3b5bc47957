"""What every `Telemetry` keeps."""

from __future__ import annotations

from protea.ports.telemetry import Telemetry


class TelemetryContract:
    def telemetry(self) -> Telemetry:
        raise NotImplementedError

    def test_spans_stand_within_one_another_and_end_in_any_order(self) -> None:
        telemetry = self.telemetry()
        turn = telemetry.begin("turn", model="a/b")
        calls = [telemetry.begin("call", turn, tool="Read", number=number) for number in range(3)]
        calls[2].end(lines=3, seconds=0.5, found=True)
        turn.end("interrupted", replies=2)
        calls[0].end("denied")

    def test_ending_again_does_nothing(self) -> None:
        span = self.telemetry().begin("turn")
        span.end()
        span.end("late")

    def test_a_span_of_another_telemetry_is_no_harm(self) -> None:
        other = self.telemetry().begin("turn")
        self.telemetry().begin("call", other).end()

    def test_counters_take_whole_and_broken_numbers(self) -> None:
        telemetry = self.telemetry()
        telemetry.count("calls", tool="Read")
        telemetry.count("tokens", 1234.5)
        telemetry.count("calls", 0)

    def test_odd_words_are_no_harm(self) -> None:
        telemetry = self.telemetry()
        telemetry.begin("a\nb", path="\udcff", name="").end("\x1b[31m")
        telemetry.count("", 1, text="x" * 10_000)
