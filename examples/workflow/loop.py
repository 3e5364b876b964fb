"""Runs a SQL program on a cluster and prints its output: the loop of docs/workflow.md as a script.

    python loop.py argo < program.sql
    python loop.py argo --state state.json --calls 3 < program.sql   # stops after three answers ...
    python loop.py argo --state state.json                           # ... and another process goes on from there

Messages go to stdout as they are, a row as its step, its statement and its values.
"""

from __future__ import annotations

import argparse
import sys
import uuid
from pathlib import Path

from kubernetes.config import ConfigException
from sqlflow_codegen.backend import RunOptions
from sqlflow_codegen.errors import SQLFlowError
from sqlflow_codegen.language import runnable_program
from sqlflow_operator.kube import ApiError
from sqlflow_operator.workflow import FetchRequest, RunFailedError, Workflow, new


def submit(arguments: argparse.Namespace, text: str) -> tuple[Workflow, FetchRequest]:
    """Compile the program and start it."""
    codegen, workflow = new(arguments.backend)
    options = RunOptions(
        name=f"loop-{uuid.uuid4().hex[:8]}",
        namespace=arguments.namespace,
        image=arguments.image,
        secret_name=arguments.secret,
    )
    program = codegen.gen_code(runnable_program(text), options)
    yaml = codegen.gen_yaml(program)
    run_id = workflow.submit(yaml)
    return workflow, FetchRequest(run_id)


def resume(arguments: argparse.Namespace) -> tuple[Workflow, FetchRequest]:
    """Go on where another process was: the request is all that it leaves behind."""
    _, workflow = new(arguments.backend)
    return workflow, FetchRequest.from_json(arguments.state.read_text(encoding="utf-8"))


def follow(workflow: Workflow, request: FetchRequest, state: Path | None, calls: int | None) -> None:
    """Print all output of the run, to its end or for so many answers."""
    while calls != 0:
        response = workflow.fetch(request)
        for message in response.messages:
            print(message, flush=True)
        for row in response.rows:
            print(row.step, row.statement, row.values, flush=True)
        if response.eof:
            print("eof", flush=True)
            break
        request = response.updated_request_since
        if state is not None:
            state.write_text(request.to_json(), encoding="utf-8")
        calls = None if calls is None else calls - 1


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backend", choices=["argo", "tekton", "job"])
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--secret", default="sqlflow-database", help="Secret with the database's URL, in key url")
    parser.add_argument("--image", default="localhost/sqlflow-step:dev", help="image of the steps")
    parser.add_argument("--state", type=Path, help="file that keeps the request; where it is there, go on from it")
    parser.add_argument("--calls", type=int, help="stop after so many answers")
    arguments = parser.parse_args()
    going_on = arguments.state is not None and arguments.state.exists()
    try:
        workflow, request = resume(arguments) if going_on else submit(arguments, sys.stdin.read())
        follow(workflow, request, arguments.state, arguments.calls)
    except RunFailedError as error:
        print(f"step {error.step}, statement {error.statement}: {error.database_message}", file=sys.stderr)
        return 1
    except (SQLFlowError, ApiError, ConfigException, OSError) as error:
        print(f"loop.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
