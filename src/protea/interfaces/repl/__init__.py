"""`protea repl`: a plain chat, line by line, that leaves the scrollback as it is.

chat        opens a session, follows it, sends what is typed; its own slash commands are the table at its end
answering   asks a person what an open question asks, and makes the answer a command
lines       what is typed: readline and its history, or a pipe
"""
