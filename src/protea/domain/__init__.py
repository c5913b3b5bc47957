"""The pure core: frozen values and functions over them.

Nothing here reads a clock, opens a file or socket, logs, or knows that asyncio exists. Everyone may import it; it
imports only the standard library's pure parts and msgspec. What is where:

    a session       events, event_codec, commands, session, errors
    folds of it     transcript (what a model sees), view, blocks and folding (what a person sees), summary, taint, pins,
                    turn_changes, looking_back, going_back
    a model         messages, reply, usage, providers, families, prefix, retry, breaker, standing_in, answer, script
    its window      window, compaction, cut, tool_search, recall
    tools           tools, schema, edit, patch, diff, changes, textfile, plain, glob, ignore, diagnostics
    what it may     permission/, trust, limits, spending, audit, redaction, environment, question
    who it is       profile, settings, swap, lock, surroundings, log_levels, adoption, toml_places
    what is brought skill, skill_check, template, shell_words, front_matter, imports, hooks
    others          delegation (agents), racing, plan, schedule
    words           columns, spelling, pattern
"""
