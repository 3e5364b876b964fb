"""Pictures of `sqlflow run`: by the terminal's own protocol where it has one, else as files."""

from __future__ import annotations

import base64
import fcntl
import io
import json
import os
import pty
import struct
import sys
import termios
from pathlib import Path

import pytest
from PIL import Image as Picture
from sqlflow_cli.__main__ import main
from sqlflow_cli.pictures import Pictures
from sqlflow_cli.record_printer import RecordPrinter
from sqlflow_codegen.language import parse_program

from tests.support.commands import run_here


def picture() -> bytes:
    content = io.BytesIO()
    Picture.new("RGB", (60, 40), "red").save(content, "PNG")
    return content.getvalue()


PROGRAM = "SELECT 1; SELECT a FROM t TO EXPLAIN m"
IMAGE = {
    "type": "image",
    "statement": 2,
    "media_type": "image/png",
    "title": "m, version 1: dots",
    "data": base64.b64encode(picture()).decode(),
}
STARTED = {"type": "statement_started", "statement": 2, "title": "TO EXPLAIN m", "line": 1}
FINISHED = {"type": "statement_finished", "statement": 2, "rows": 3, "seconds": 0.1}


def shown(pictures: Pictures) -> str:
    stream = io.StringIO()
    printer = RecordPrinter(stream, parse_program(PROGRAM), [1, 2], pictures, verbose=False)
    for record in (STARTED, IMAGE, IMAGE, FINISHED):
        printer.show(record)
    return stream.getvalue()


def test_files_in_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "pictures"
    words = shown(Pictures("report", folder, expected=True))
    assert sorted(path.name for path in folder.iterdir()) == ["report-2-1.png", "report-2-2.png"]
    assert (folder / "report-2-1.png").read_bytes() == picture()
    lines = [line.strip() for line in words.splitlines()]
    assert lines[1:5] == [
        "m, version 1: dots",
        f"picture: {folder}/report-2-1.png",
        "m, version 1: dots",
        f"picture: {folder}/report-2-2.png",
    ]


def test_where_they_go_if_nobody_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "picture: sqlflow-pictures/report-2-1.png" in shown(Pictures("report", None, expected=True))
    assert (tmp_path / "sqlflow-pictures" / "report-2-2.png").read_bytes() == picture()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "the picture cannot be written: " in shown(Pictures("report", tmp_path / "file" / "x", expected=True))


SHOW = """
import json, sys
from pathlib import Path
from sqlflow_cli.pictures import Pictures
from sqlflow_cli.record_printer import RecordPrinter
from sqlflow_codegen.language import parse_program
from sqlflow_runtime.capture import OutputCapture
program, records, folder = json.loads(sys.argv[1])
pictures = Pictures("report", Path(folder) if folder else None, expected=True)
capture = OutputCapture()
with capture:
    printer = RecordPrinter(capture.stdout, parse_program(program), [1, 2], pictures, verbose=False)
    for record in records:
        printer.show(record)
"""


def in_a_terminal(answer: bytes, cwd: Path, folder: str = "", rows: int = 40) -> bytes:
    """What a terminal gets that answers so when it is asked what it can show."""
    argument = json.dumps([PROGRAM, [STARTED, IMAGE, FINISHED], folder])
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 120, 1200, 800))
        environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TMUX")}
        os.execve(sys.executable, [sys.executable, "-c", SHOW, argument], environment | {"TERM": "xterm-256color"})
    received = b""
    answered = False
    while data := _read(terminal):
        received += data
        if not answered and b"\x1b[c" in received:
            os.write(terminal, answer)
            answered = True
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, received.decode(errors="replace")
    assert answered == (rows > 0), "it asked"
    return received


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side has ended
        return b""


SIXEL, KITTY, PLAIN = b"\x1b[?62;4c", b"\x1b_Gi=31;OK\x1b\\\x1b[?62c", b"\x1b[?62c"


def test_a_terminal_with_sixels(tmp_path: Path) -> None:
    received = in_a_terminal(SIXEL, tmp_path)
    assert b"m, version 1: dots" in received
    assert received.count(b"\x1bP") == 1
    assert list(tmp_path.iterdir()) == [], "no files"


def test_a_terminal_with_a_folder_too(tmp_path: Path) -> None:
    assert in_a_terminal(SIXEL, tmp_path, str(tmp_path / "kept")).count(b"\x1bP") == 1
    assert (tmp_path / "kept" / "report-2-1.png").read_bytes() == picture()


def test_a_terminal_with_the_protocol_of_kitty(tmp_path: Path) -> None:
    received = in_a_terminal(KITTY, tmp_path)
    assert received.count(b"\x1b_G") >= 3, "the question, the picture, its place"
    assert b"a=p" in received
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_without_pictures(tmp_path: Path) -> None:
    received = in_a_terminal(PLAIN, tmp_path)
    assert b"sqlflow-pictures/report-2-1.png" in received
    assert (tmp_path / "sqlflow-pictures" / "report-2-1.png").read_bytes() == picture()


def test_a_terminal_without_a_size(tmp_path: Path) -> None:
    received = in_a_terminal(SIXEL, tmp_path, rows=0)
    assert b"sqlflow-pictures/report-2-1.png" in received


def test_from_a_program_to_a_file(tmp_path: Path) -> None:
    """The whole way, with a real model."""
    program = tmp_path / "why.sql"
    program.write_text(
        "CREATE TABLE t AS SELECT i % 7 AS a, i % 5 AS b, (i % 7) * 2.0 AS y FROM range(60) r(i);"
        "SELECT * FROM t TO TRAIN xgboost.gbtree WITH objective='reg:squarederror' LABEL y INTO m;"
        "SELECT * FROM t TO EXPLAIN m WITH summary.plot_type='bar';"
    )
    arguments = ["sqlflow", "run", str(program), "--database", "duckdb://", "--pictures", str(tmp_path / "pictures")]
    ran = run_here(main, arguments, "", {"NO_COLOR": "1", "COLUMNS": "120"})
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "m, version 1: contributions to the prediction (60 rows)" in ran.stdout
    (path,) = (tmp_path / "pictures").iterdir()
    assert path.name == "why-3-1.png"
    assert path.read_bytes().startswith(b"\x89PNG")
    records = run_here(main, [*arguments[:-2], "--format", "json"], "", {})
    (image,) = [one for one in map(json.loads, records.stdout.splitlines()) if one["type"] == "image"]
    assert base64.b64decode(image["data"]) == path.read_bytes(), "the same picture in records"
