"""A registry on this machine that speaks to pip, uv, npm and cargo: packages are made on the spot."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Registry:
    """What is asked for by path, from when it was put there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.files: dict[str, bytes] = {"/crates/config.json": json.dumps({"dl": f"{url}/crates/dl"}).encode()}
        self.asked: list[str] = []
        self._npm: dict[str, dict[str, object]] = {}
        self._crates: dict[str, list[str]] = {}
        self._wheels: dict[str, list[str]] = {}

    def wheel(self, name: str, version: str) -> None:
        """For pip: `import NAME` gives `VERSION`."""
        info = f"{name}-{version}.dist-info"
        content = {
            f"{name}.py": f'VERSION = "{version}"\n',
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: made here\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        content[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*content, f"{info}/RECORD"])
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for path, text in content.items():
                archive.writestr(path, text)
        file = f"{name}-{version}-py3-none-any.whl"
        self.files[f"/simple/files/{file}"] = out.getvalue()
        links = self._wheels.setdefault(name, [])
        links.append(f'<a href="/simple/files/{file}">{file}</a>')
        self.files[f"/simple/{name}/"] = f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()

    def npm(self, name: str, version: str, **package: object) -> None:
        """For npm; `package` is more of its package.json."""
        manifest = {"name": name, "version": version, **package}
        files = {"package/package.json": json.dumps(manifest), "package/index.js": f"module.exports = '{version}';\n"}
        data = _archive(files)
        self.files[f"/{name}/-/{name}-{version}.tgz"] = data
        sum512 = base64.b64encode(hashlib.sha512(data).digest()).decode()
        about = self._npm.setdefault(name, {})
        about[version] = {
            **manifest,
            "dist": {"tarball": f"{self.url}/{name}/-/{name}-{version}.tgz", "integrity": f"sha512-{sum512}"},
            **({"hasInstallScript": True} if "scripts" in package else {}),
        }
        self.files[f"/{name}"] = json.dumps(
            {"name": name, "dist-tags": {"latest": version}, "versions": about}
        ).encode()

    def crate(self, name: str, version: str) -> None:
        """For cargo: `NAME::version()` gives `VERSION`."""
        manifest = f'[package]\nname = "{name}"\nversion = "{version}"\nedition = "2021"\n'
        code = f'pub fn version() -> &\'static str {{ "{version}" }}\n'
        folder = f"{name}-{version}"
        data = _archive({f"{folder}/Cargo.toml": manifest, f"{folder}/src/lib.rs": code})
        self.files[f"/crates/dl/{name}/{version}/download"] = data
        about = {"name": name, "vers": version, "deps": [], "features": {}, "yanked": False}
        lines = self._crates.setdefault(name, [])
        lines.append(json.dumps({**about, "cksum": hashlib.sha256(data).hexdigest()}))
        self.files[f"/crates/{name[:2]}/{name[2:4]}/{name}"] = "\n".join(lines).encode()


def _archive(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return out.getvalue()


@contextmanager
def registry() -> Iterator[Registry]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            made.asked.append(path)
            body = made.files.get(path)
            self.send_response(404 if body is None else 200)
            kind = "text/html" if path.startswith("/simple") else "application/json"
            self.send_header("Content-Type", "application/octet-stream" if path.endswith((".whl", ".tgz")) else kind)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is said."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    made = Registry(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
