"""A small HTTP/1.1 client for the adapters: what provider wires need and nothing they do not.

`client.Client` is the entrance, `errors.HttpError` all that can go wrong.
Why not a library: docs/decisions/0003-an-http-client-of-our-own.md.
"""
