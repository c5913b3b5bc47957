"""A language server that does what its first argument says: a process of its own, for the tests of those that ask one.

It finds the word `wrong` in a line, tells an error, and keeps a file `started` in its folder with a line per start.
"""

import json
import os
import sys
import threading


def read():
    length = 0
    while True:
        line = sys.stdin.buffer.readline()
        if not line:
            sys.exit(0)
        if line == b"\r\n":
            return json.loads(sys.stdin.buffer.read(length))
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])


def raw(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def write(message):
    body = json.dumps(message).encode()
    raw(b"Content-Length: %d\r\n\r\n" % len(body) + body)


def found(text):
    return [
        {
            "range": {"start": {"line": n, "character": line.index("wrong")}, "end": {"line": n, "character": 99}},
            "severity": 1,
            "message": "this is wrong",
        }
        for n, line in enumerate(text.split("\n"))
        if "wrong" in line
    ]


def publish(about, text):
    uri = about["uri"].replace("%20", " ") if how == "spelling" else about["uri"]
    version = {} if how == "unversioned" else {"version": about["version"]}
    listed = found(text)
    if how == "odd":
        listed = [{"severity": 1}, None, 7, {"range": {}, "message": "no place"}, *listed, {"severity": 9}]
    if how == "nonsense":
        far = {"range": {"start": {"line": 1e30, "character": 0}}, "message": "far away"}
        back = {"range": {"start": {"line": -7, "character": -7}}, "message": "before it begins"}
        here = {"start": {"line": 0, "character": 0}}
        listed = [far, back, {"range": here, "severity": [], "message": "no severity"}, *listed]
        for address in ("file://[", None, "file:///etc/passwd"):
            about_it = {"uri": address, "diagnostics": listed}
            write({"jsonrpc": "2.0", "method": "textDocument/publishDiagnostics", "params": about_it})
        write({"jsonrpc": "2.0", "id": 5, "method": "workspace/configuration", "params": {"items": 5}})
    if how == "flood":
        for _ in range(3000):
            write({"jsonrpc": "2.0", "method": "window/logMessage", "params": {"message": "x" * 50_000}})
    if how == "many":
        listed *= 5000
    write(
        {
            "jsonrpc": "2.0",
            "method": "textDocument/publishDiagnostics",
            "params": {"uri": uri, **version, "diagnostics": listed},
        }
    )


how, journal = sys.argv[1], sys.argv[2]
with open(journal, "a") as file:
    file.write(f"{os.getpid()}\n")
if how == "crash at once":
    sys.exit("no licence found")
if how == "junk":
    raw(b"Welcome to the language server!\n" * 1000)
if how == "huge":
    raw(b"Content-Length: 99999999999\r\n\r\n")
if how == "no length":
    raw(b"Content-Type: x\r\n\r\n{}")
if how == "deep":
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    raw(b"Content-Length: %d\r\n\r\n" % len(deep) + deep)
if how == "not json":
    raw(b"Content-Length: 5\r\n\r\n{oops")
while True:
    message = read()
    method = message.get("method")
    if method == "initialize":
        if how == "refuse":
            write({"jsonrpc": "2.0", "id": message["id"], "error": {"code": 1, "message": "not today"}})
            continue
        if how == "curious":
            write(
                {
                    "jsonrpc": "2.0",
                    "id": 1,
                    "method": "workspace/configuration",
                    "params": {"items": [{}, {"section": "a.b"}]},
                }
            )
            write({"jsonrpc": "2.0", "id": "x", "method": "workspace/applyEdit", "params": {}})
            write({"jsonrpc": "2.0", "id": 3, "method": "window/workDoneProgress/create", "params": {}})
            write({"jsonrpc": "2.0", "id": 4, "method": "no/such", "params": {}})
            answers = [read() for _ in range(4)]
            with open(journal + ".answers", "w") as file:
                json.dump(answers, file)
        write({"jsonrpc": "2.0", "id": message["id"], "result": {"capabilities": {}}})
        if how == "deaf":
            threading.Event().wait()
    elif method == "shutdown":
        if how == "stubborn":
            continue
        write({"jsonrpc": "2.0", "id": message["id"], "result": None})
    elif method == "exit":
        if how == "stubborn":
            continue
        sys.exit(0)
    elif method in ("textDocument/didOpen", "textDocument/didChange"):
        about = message["params"]["textDocument"]
        text = about["text"] if "text" in about else message["params"]["contentChanges"][0]["text"]
        if how == "hang" or (how == "late" and "slow" in text and not os.path.exists(journal + ".go")):
            while how == "hang" or not os.path.exists(journal + ".go"):
                threading.Event().wait(0.01)
        if how == "crash" and "boom" in text:
            os._exit(3)
        if how == "short length":
            body = json.dumps({"jsonrpc": "2.0", "method": "x", "params": {}}).encode()
            raw(b"Content-Length: %d\r\n\r\n" % (len(body) - 4) + body)
        publish(about, text)
