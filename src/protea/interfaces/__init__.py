"""The faces: each turns keys or lines into commands and events into drawing, and holds nothing but the gateway.

faces           headless, repl, tui/ (the full screen), web/ (the same in a browser), commands/
the words       manual (commands and flags, as data), arguments (reads them), input, external (an editor),
                nudges (Ctrl+C in the plain chat)
what is told    drawing (events as lines), json_lines, output, flow, tables, terminal, markdown
pages           export, html, html_markdown
"""
