"""Language models, one wire per file (`anthropic`, `openai_chat`, `openai_responses`, `gemini`, `ollama`), besides
`offline` and `scripted`, which ask nobody. Names people use are rows of `domain/providers.py`. Behind the wires:

a request           _provider (over HTTP), _options, _encoding (only what is new), _schemas, _gemini_schemas
its answer          _exchange (send, read, yield), _sse (pieces of a stream), _stops
what went wrong     _failures (429, 529, a body that is no JSON … as kinds, with how long to wait)
offline             _grammar (what a prompt means) over _words, _looking and _changing; _wanted (steps), which _steps
                    carries out with _finding (files, searches) and _beside (tasks, plans); _carrying (what all need)
"""
