"""The rules, by what they are about. Importing this package registers all of them."""

from tests.architecture.rules import adapters, catalogue, concurrency, imports, ports, purity, values, writing

__all__ = ["adapters", "catalogue", "concurrency", "imports", "ports", "purity", "values", "writing"]
