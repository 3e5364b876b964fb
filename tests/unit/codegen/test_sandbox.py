"""The sandbox: programs fail alone, are limited, and no thread waits for another's failure."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlflow_codegen.errors import CodegenError
from sqlflow_codegen.sandbox import Limits, Sandbox

from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    one = Sandbox()
    yield one
    one.close()


def test_what_the_program_prints(sandbox: Sandbox) -> None:
    assert sandbox.run("print('a')\nprint('naïve 😀\\r\\n\\x00')") == "a\nnaïve 😀\r\n\x00\n"


def test_lone_surrogates_travel(sandbox: Sandbox) -> None:
    assert sandbox.run("print('\\ud800', end='')") == "\ud800"


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("x = 1\n\n1 / 0", "program.py line 3: ZeroDivisionError: division by zero\n    1 / 0"),
        ("def f():\n    raise ValueError('no')\nf()", "program.py line 2: ValueError: no"),
        ("import json\njson.loads('{')", "program.py line 2: .*JSONDecodeError"),
        ("x = 1\ndef f(:\n", "program.py line 2: SyntaxError"),
        ("import sys\nsys.exit(3)", "program.py line 2: the program ended with exit code 3"),
        ("import os\nos._exit(7)", "ended with exit code 7 before it had sent its result"),
        ("import os\nos.abort()", "crashed with SIGABRT"),
        ("def f():\n    f()\nf()", "RecursionError"),
        ("x = '\x00'", "SyntaxError|ValueError"),
    ],
)
def test_failures_name_the_line(sandbox: Sandbox, program: str, message: str) -> None:
    with pytest.raises(CodegenError, match=message):
        sandbox.run(program)
    assert sandbox.run("print(1)") == "1\n"


@pytest.mark.parametrize(
    ("program", "limits", "message"),
    [
        ("while True: pass", Limits(cpu=1), "more than 1 seconds of CPU"),
        ("import time\ntime.sleep(60)", Limits(wall=0.2), r"longer than 0\.2 seconds"),
        ("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile 1: pass", Limits(wall=0.2), "longer"),
        ("x = bytearray(1 << 29)", Limits(memory=64 << 20), "line 1: the program used more than 64 MiB of memory"),
    ],
)
def test_limits(sandbox: Sandbox, program: str, limits: Limits, message: str) -> None:
    with pytest.raises(CodegenError, match=message):
        sandbox.run(program, limits)
    assert sandbox.run("print(1)") == "1\n"


def test_programs_share_no_state(sandbox: Sandbox) -> None:
    sandbox.run("import yaml\nyaml.leftover = 1")
    assert sandbox.run("import yaml\nprint(hasattr(yaml, 'leftover'))") == "False\n"


def test_the_environment_is_not_the_callers(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLFLOW_DATABASE_URL", "secret")
    assert sandbox.run("import os\nprint('SQLFLOW_DATABASE_URL' in os.environ)") == "False\n"


def test_many_threads(sandbox: Sandbox) -> None:
    def run(number: int) -> str:
        if number % 5 == 0:
            with pytest.raises(CodegenError, match=f"ValueError: {number}"):
                sandbox.run(f"raise ValueError({number})")
            return f"{number}\n"
        return sandbox.run(f"print({number})")

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(run, range(60))) == [f"{number}\n" for number in range(60)]


def test_asyncio_threads(sandbox: Sandbox) -> None:
    async def main() -> list[str]:
        return await asyncio.gather(*(asyncio.to_thread(sandbox.run, f"print({n})") for n in range(10)))

    assert asyncio.run(main()) == [f"{n}\n" for n in range(10)]


def test_a_slow_program_holds_nobody_up(sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(sandbox.run, "import time\ntime.sleep(60)", Limits(wall=3))
        assert sandbox.run("print(1)") == "1\n"
        assert not slow.done()
        with pytest.raises(CodegenError, match="longer than 3 seconds"):
            slow.result()


def test_a_killed_server_is_started_again(sandbox: Sandbox) -> None:
    sandbox.run("print(1)")
    server = sandbox._process
    assert server is not None
    server.kill()
    server.wait()
    assert sandbox.run("print(2)") == "2\n"


def test_a_program_that_kills_the_server_is_told(sandbox: Sandbox) -> None:
    with pytest.raises(CodegenError, match="ended twice"):
        sandbox.run("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)")
    assert sandbox.run("print(1)") == "1\n"


def test_what_a_program_started_ends_with_it(sandbox: Sandbox) -> None:
    output = sandbox.run(
        "import os, time\nif os.fork() == 0:\n    time.sleep(60)\n    os._exit(0)\nprint('parent')", Limits(wall=5)
    )
    assert output == "parent\n"


def test_close_ends_the_server() -> None:
    one = Sandbox()
    one.run("print(1)")
    process = one._process
    assert process is not None
    one.close()
    assert process.poll() is not None
    assert one.run("print(1)") == "1\n"
    one.close()


def test_works_in_a_forked_process(sandbox: Sandbox) -> None:
    sandbox.run("print(1)")
    program = """
        import os
        from sqlflow_codegen.sandbox import Sandbox
        one = Sandbox()
        assert one.run("print(1)") == "1\\n"
        child = os.fork()
        if child == 0:
            ok = one.run("print(2)") == "2\\n"
            one.close()
            os._exit(0 if ok else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert one.run("print(3)") == "3\\n"
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, timeout=60, env=_python_path())


def test_the_server_ends_with_its_parent() -> None:
    program = """
        import os, sys
        from sqlflow_codegen.sandbox import Sandbox
        one = Sandbox()
        one.run("print(1)")
        print(one._process.pid, flush=True)
        os.kill(os.getpid(), 9)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60, env=_python_path()
    )
    pid = int(run.stdout)
    wait_for(lambda: not _running(pid), "the server has ended")


def _running(pid: int) -> bool:
    """Whether it runs; a process that has ended but that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _python_path() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
