"""No test here may leave a task whose failure nobody looked at."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator

import pytest


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(self.format(record))


@pytest.fixture(autouse=True)
def _no_failure_is_lost() -> Iterator[None]:
    kept = _Kept()
    logger = logging.getLogger("asyncio")
    logger.addHandler(kept)
    yield
    gc.collect()  # a task says so when it is forgotten
    logger.removeHandler(kept)
    assert not kept.records, kept.records[0]
