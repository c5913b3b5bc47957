"""Each catalog through the contract of its port."""

from __future__ import annotations

from protea.adapters.catalog import none, snapshot
from protea.domain.usage import ModelInfo
from protea.ports.catalog import Catalog
from protea.testing.catalog import ListCatalog
from protea.testing.contracts.catalog import CatalogContract


class TestSnapshotCatalog(CatalogContract):
    def catalog(self) -> Catalog:
        return snapshot.create(snapshot.Options())


class TestNoCatalog(CatalogContract):
    def catalog(self) -> Catalog:
        return none.create(none.Options())


class TestListCatalog(CatalogContract):
    def catalog(self) -> Catalog:
        return ListCatalog(ModelInfo(id="b/two"), ModelInfo(id="a/one"), ModelInfo(id="b/one"))
