"""What every `Catalog` keeps."""

from __future__ import annotations

from protea.ports.catalog import Catalog


class CatalogContract:
    def catalog(self) -> Catalog:
        raise NotImplementedError

    def test_what_is_listed_is_found_by_its_name(self) -> None:
        catalog = self.catalog()
        for info in catalog.list()[:50]:
            provider, _, model = info.id.partition("/")
            assert catalog.find(provider, model) == info

    def test_a_list_is_in_order_and_names_nothing_twice(self) -> None:
        ids = [info.id for info in self.catalog().list()]
        assert len(ids) == len(set(ids))
        providers = [id.partition("/")[0] for id in ids]
        assert providers == sorted(providers)

    def test_a_list_of_one_provider_is_its_part_of_the_whole(self) -> None:
        catalog = self.catalog()
        for provider in {info.id.partition("/")[0] for info in catalog.list()}:
            of_it = [info for info in catalog.list() if info.id.startswith(f"{provider}/")]
            assert list(catalog.list(provider)) == of_it

    def test_nobody_s_model_is_not_known(self) -> None:
        assert self.catalog().find("nobody", "nothing") is None
        assert list(self.catalog().list("nobody")) == []
