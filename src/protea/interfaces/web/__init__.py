"""The full screen in a browser: `protea web`. Needs the extra `web`, and is opened by nothing else.

start       from the command line to a server, and what a person is told
door        who may come in: token, cookie, names, origins; strangers are those who wait before it
server      pages, files, and a WebSocket to each screen
terminals   the screens, a process each in a pseudo-terminal
"""
