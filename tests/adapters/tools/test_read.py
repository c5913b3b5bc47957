"""Reading: text by lines, and what is no text as what it is."""

from __future__ import annotations

import base64
import json
import os
import shutil
from pathlib import Path

import pytest

from protea.adapters.sandbox import none
from protea.adapters.tools import builtin
from protea.domain.messages import Image
from tests.adapters.tools.conftest import Project

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def pdf(*pages: str) -> bytes:
    """A PDF with one line of text a page, built by hand."""
    kids = " ".join(f"{4 + 2 * at} 0 R" for at in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for at, text in enumerate(pages):
        stream = f"BT /F1 24 Tf 72 700 Td ({text}) Tj ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * at} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    out = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    return (
        out
        + (
            f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
            f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
        ).encode()
    )


async def test_lines_are_numbered(project: Project) -> None:
    project.write({"a.py": "x = 1\n\ny = 2\n"})
    assert (await project.call("Read", path="a.py")).text == "1\tx = 1\n2\t\n3\ty = 2"


async def test_ranges_say_what_is_left(project: Project) -> None:
    project.write({"a": "".join(f"{n}\n" for n in range(1, 101))})
    result = await project.call("Read", path="a", offset=10, limit=3)
    assert result.text == "10\t10\n11\t11\n12\t12\n[lines 10-12 of 100; go on with offset 13]"
    assert (await project.call("Read", path="a", offset=99)).text == "99\t99\n100\t100\n[lines 99-100 of 100, the end]"
    assert (await project.call("Read", path="a", offset=-1)).text == "100\t100\n[lines 100-100 of 100, the end]"
    assert (await project.call("Read", path="a", offset=0, limit=1)).text.startswith("1\t1\n")
    beyond = await project.call("Read", path="a", offset=101)
    assert beyond.is_error
    assert "has 100 lines" in beyond.text


async def test_long_files_and_lines_are_cut_and_said(project: Project) -> None:
    project.write({"many": "x\n" * 5000, "wide": "y" * 5000 + "\nend\n", "both": ("z" * 1000 + "\n") * 1000})
    assert (await project.call("Read", path="many")).text.endswith("\n[lines 1-2000 of 5000; go on with offset 2001]")
    assert (await project.call("Read", path="wide")).text == f"1\t{'y' * 2000}… [+3,000 characters]\n2\tend"
    both = (await project.call("Read", path="both")).text
    assert len(both) < 61_000
    assert "go on with offset" in both


async def test_very_large_files_are_read_by_piece(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from protea.adapters.tools import read

    project.write({"big": "".join(f"line {n}\n" for n in range(1, 200_001))})
    whole = (await project.call("Read", path="big", offset=150_000, limit=2)).text.split("\n[")[0]
    monkeypatch.setattr(read, "WHOLE", 1000)
    monkeypatch.setattr(read, "PIECE", 4096)
    result = await project.call("Read", path="big", offset=150_000, limit=2)
    assert result.text.split("\n[")[0] == whole == "150000\tline 150000\n150001\tline 150001"
    assert "go on with offset 150002" in result.text
    assert (await project.call("Read", path="big", offset=-1)).text.startswith("200000\tline 200000\n")
    assert (await project.call("Read", path="big", offset=200_001)).is_error
    assert (await project.call("Read", path="big", offset=199_999)).text.startswith(
        "199999\tline 199999\n200000\tline 200000\n[lines 199999-200000"
    )


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"\xef\xbb\xbfbom\n", "1\tbom"),
        ("wide grün\n".encode("utf-16"), "1\twide grün"),
        (b"caf\xe9\n", "1\tcaf\\xe9"),
        (b"dos\r\nlines\r\n", "1\tdos\n2\tlines"),
        (b"no end", "1\tno end"),
        (b"\x1b[31mred\x1b]0;x\x07\n", "1\tred"),
        ("\u2028one\x0cline\n".encode(), "1\t\u2028one\\x0cline"),
        (b"\n", "1\t"),
    ],
)
async def test_odd_text_is_shown_as_it_is_meant(project: Project, data: bytes, shown: str) -> None:
    project.write({"f": data})
    assert (await project.call("Read", path="f")).text == shown


async def test_an_empty_file_and_a_directory_are_named(project: Project) -> None:
    project.write({"empty": "", "d/b": "", "d/a/x": ""})
    os.symlink("b", project.root / "d" / "link")
    assert (await project.call("Read", path="empty")).text == "empty is empty."
    listed = await project.call("Read", path="d")
    assert listed.text == "d is a directory with:\na/\nb\nlink@"
    assert not listed.is_error


async def test_missing_files_come_with_near_names(project: Project) -> None:
    project.write({"src/server.py": "", "src/client.ts": "", "other/x": ""})
    for wanted in ("src/sever.py", "src/server.ts", "src/SERVER.py"):
        result = await project.call("Read", path=wanted)
        assert result.is_error
        assert "src/server.py" in result.text
    assert "src/" in (await project.call("Read", path="scr/server.py")).text
    await project.call("Bash", command="cd other")
    assert f"{project.root}/src/server.py" in (await project.call("Read", path="src/server.py")).text


async def test_home_and_absolute_paths_are_understood(project: Project, tmp_path: Path) -> None:
    (tmp_path / "note").write_text("from home\n")
    assert (await project.call("Read", path="~/note")).text == "1\tfrom home"
    project.write({"a": "x\n"})
    assert (await project.call("Read", path=f"{project.root}/a")).text == "1\tx"


async def test_images_become_images(project: Project) -> None:
    project.write({"dot.dat": PNG})
    result = await project.call("Read", path="dot.dat")
    assert result.images == (Image("image/png", base64.b64encode(PNG).decode()),)
    assert "image/png" in result.text
    for start, kind in ((b"\xff\xd8\xff\xe0", "jpeg"), (b"GIF89a", "gif"), (b"RIFF\0\0\0\0WEBPVP8 ", "webp")):
        project.write({"image": start + b"\0" * 50})
        assert (await project.call("Read", path="image")).images[0].media_type == f"image/{kind}"


@pytest.mark.parametrize("project", [builtin.Options(image_bytes=60)], indirect=True)
async def test_an_image_too_large_says_what_to_do(project: Project) -> None:
    project.write({"dot.png": PNG + b"\0" * 100})
    result = await project.call("Read", path="dot.png")
    assert result.is_error or result.images
    assert "168" in result.text or "smaller" in result.text


@pytest.mark.parametrize("data", [b"\x7fELF\x02\x01\x01" + b"\0" * 99, b"PK\x03\x04\0\0", b"\0\1\2\3" * 99])
async def test_other_binaries_are_named_and_not_shown(project: Project, data: bytes) -> None:
    project.write({"f": data})
    result = await project.call("Read", path="f")
    assert result.is_error
    assert f"{len(data)} bytes" in result.text


async def test_a_notebook_is_shown_by_cells(project: Project) -> None:
    notebook = {
        "cells": [
            {"cell_type": "markdown", "id": "aa", "source": ["# Title\n", "text"]},
            {
                "cell_type": "code",
                "execution_count": 4,
                "source": "print(1)",
                "outputs": [
                    {"output_type": "stream", "text": ["1\n"]},
                    {"output_type": "display_data", "data": {"image/png": base64.b64encode(PNG).decode()}},
                    {"output_type": "execute_result", "data": {"text/plain": "42", "text/html": "<b>"}},
                    {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[31mboom\x1b[0m"]},
                ],
            },
        ],
        "nbformat": 4,
    }
    project.write({"n.ipynb": json.dumps(notebook), "bad.ipynb": "not json\n"})
    result = await project.call("Read", path="n.ipynb")
    assert "cell 1 aa: markdown\n# Title\ntext" in result.text
    assert "cell 2: code [4]\nprint(1)" in result.text
    assert "→ 1" in result.text
    assert "→ 42" in result.text
    assert "→ boom" in result.text
    assert [image.media_type for image in result.images] == ["image/png"]
    assert (await project.call("Read", path="bad.ipynb")).text == "1\tnot json"


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed")
async def test_pdf_text_comes_by_page(project: Project) -> None:
    project.write({"a.pdf": pdf("first page", "second page", "third page")})
    result = await project.call("Read", path="a.pdf")
    assert [line for line in result.text.split("\n") if "page" in line] == [
        "── page 1",
        "first page",
        "── page 2",
        "second page",
        "── page 3",
        "third page",
    ]
    part = await project.call("Read", path="a.pdf", pages="2")
    assert "second page" in part.text
    assert "third page" not in part.text
    assert "go on with pages 3-" in part.text
    assert (await project.call("Read", path="a.pdf", pages="9")).is_error
    assert (await project.call("Read", path="a.pdf", pages="x")).is_error
    project.write({"bad.pdf": b"%PDF-1.4\nnonsense"})
    assert "cannot be read as a PDF" in (await project.call("Read", path="bad.pdf")).text


async def test_without_a_reader_a_pdf_says_what_to_install(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    project.write({"a.pdf": pdf("x")})
    monkeypatch.setitem(sys.modules, "pypdf", None)
    monkeypatch.setattr(none.NoSandbox, "which", lambda *_: None)
    result = await project.call("Read", path="a.pdf")
    assert result.is_error
    assert "protea[media]" in result.text


async def test_what_is_no_file_is_refused(project: Project) -> None:
    os.mkfifo(project.root / "pipe")
    for path in ("pipe", "/dev/zero", "a\0b"):
        assert (await project.call("Read", path=path)).is_error
