"""What every `Ids` keeps."""

from __future__ import annotations

import re

from protea.ports.ids import Ids


class IdsContract:
    def ids(self) -> Ids:
        raise NotImplementedError

    def test_a_session_id_can_be_a_folder_and_be_typed(self) -> None:
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]{3,39}", self.ids().session())

    def test_short_names_begin_with_their_kind_and_differ(self) -> None:
        ids = self.ids()
        names = [ids.short("p") for _ in range(1000)]
        assert len(set(names)) == 1000
        assert all(re.fullmatch(r"p_[a-z0-9]+", name) for name in names)
