"""The files of `programs`: they run as they stand, and a run's data replaces all of their sample data."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from sqlflow_codegen import programs
from sqlflow_codegen.backend import RunOptions
from sqlflow_codegen.contract import LABEL_STEP, PROGRAM_DIR, PROGRAM_FILE, STEP_COMMAND, Flag
from sqlflow_codegen.couler import CoulerCodegen
from sqlflow_codegen.fluid import FluidCodegen
from sqlflow_codegen.generator import ProgramCodegen
from sqlflow_codegen.job import JobCodegen
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.program_source import program_source

from tests.unit.codegen_engines.cases import constants

CODEGENS: tuple[ProgramCodegen, ...] = (CoulerCodegen(), FluidCodegen(), JobCodegen())
FOLDER = Path(programs.__file__).parent
every_program = pytest.mark.parametrize("name", [codegen.program for codegen in CODEGENS])


def source(name: str) -> str:
    return (FOLDER / f"{name}.py").read_text(encoding="utf-8")


def test_every_file_is_the_program_of_a_backend() -> None:
    files = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    assert files == {codegen.program for codegen in CODEGENS}


@every_program
def test_it_runs_as_it_stands(name: str) -> None:
    command = [sys.executable, str(FOLDER / f"{name}.py")]
    printed = subprocess.run(command, capture_output=True, check=True, encoding="utf-8", timeout=60).stdout
    config_map, child = yaml.safe_load_all(printed)
    data = constants(source(name))
    assert config_map["data"][PROGRAM_FILE] == data["PROGRAM"]
    assert config_map["metadata"] == child["metadata"] == data["METADATA"]
    # What stands in the constant code is what the contract says.
    assert f"/{PROGRAM_FILE}" in str(data["ARGUMENTS"])
    assert PROGRAM_DIR in printed
    assert STEP_COMMAND in printed
    assert (LABEL_STEP in printed) is (name != "batch_job")


@every_program
def test_the_sample_data_gives_the_file_itself_but_for_the_dumper(name: str) -> None:
    filled = program_source(name, constants(source(name)))
    assert constants(filled) == constants(source(name))
    own = re.sub(r"class Dumper.*?(?=if __name__)", "", filled, flags=re.DOTALL)
    code = source(name).partition("STEPS = [")[2].partition("\n]\n")[2]
    assert "".join(code.split()) in "".join(own.split())


@pytest.mark.parametrize("codegen", CODEGENS, ids=lambda codegen: codegen.backend)
def test_the_numbers_of_a_step_are_flags_of_its_command(codegen: ProgramCodegen) -> None:
    text = "CREATE TEMP TABLE t (y int); SELECT * FROM u TO TRAIN xgboost.gbtree LABEL y INTO m; SELECT * FROM t"
    steps = constants(codegen.gen_code(parse_program(text), RunOptions(retries=1, fusion=False)))["STEPS"]
    assert isinstance(steps, list)
    keys = {f"--{key}" for step in steps for key in step} - {"--name", "--after"}
    assert {Flag.STATEMENTS, Flag.REPEAT} <= keys <= set(Flag)


@every_program
def test_data_that_is_missing_or_unknown_is_refused(name: str) -> None:
    data = constants(source(name))
    with pytest.raises(KeyError, match=name):
        program_source(name, {**data, "MORE": 1})
    data.pop("STEPS")
    with pytest.raises(KeyError, match=name):
        program_source(name, data)
