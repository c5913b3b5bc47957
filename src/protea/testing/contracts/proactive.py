"""What every `Proactive` keeps."""

from __future__ import annotations

from protea.ports.proactive import Proactive


class ProactiveContract:
    def proactive(self) -> Proactive:
        """The same one at every call within one test."""
        raise NotImplementedError

    def test_asking_changes_nothing(self) -> None:
        proactive = self.proactive()
        assert list(proactive.due()) == list(proactive.due())

    def test_each_errand_says_what_and_where_and_is_due_once(self) -> None:
        errands = self.proactive().due()
        assert all(errand.text.strip() and errand.source and errand.id for errand in errands)
        assert len({errand.id for errand in errands}) == len(errands)

    def test_what_was_done_says_so_without_harm_to_the_rest(self) -> None:
        proactive = self.proactive()
        before = list(proactive.due())
        for errand in before[:1]:
            proactive.done(errand)
        after = list(proactive.due())
        assert [errand for errand in after if errand not in before[:1]] == before[1:]
