"""Before a step connects: a database in a file needs a shared disk, and the dialect must be the database's."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlflow_runtime.databases.shared import IN_CLUSTER, check_shared
from sqlflow_runtime.databases.url import parse_url
from sqlflow_runtime.errors import RunError

from tests.databases.harness import run_step

POD = {IN_CLUSTER: "10.96.0.1"}
KUBELET = "/var/lib/containers/storage/volumes/6b/_data/lib/kubelet/pods/e5/volumes"
"""Where a node of kind keeps the volumes of a pod. The lines are those that a pod there has."""
MOUNTS = rf"""657 583 0:270 / / rw,relatime master:230 - overlay overlay rw,lowerdir=/var/lib/containerd/1
658 657 0:273 / /proc rw,nosuid - proc proc rw
662 657 0:274 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k
670 657 254:0 {KUBELET}/kubernetes.io~empty-dir/tmp /tmp rw,relatime - ext4 /dev/vda rw,discard
671 657 0:325 / /scratch rw,relatime - tmpfs tmpfs rw,size=24684092k,noswap
675 657 0:43 /hostpath_pv/a48615e0 /claim rw,nosuid,nodev,relatime - tmpfs tmpfs rw
672 657 8:1 /var/local-path-provisioner/pvc-3e_default_data /data rw,relatime - ext4 /dev/sda1 rw
673 657 0:57 /export /my\040disk rw,relatime - nfs4 10.0.0.9:/export rw
674 672 0:281 / /data/hidden rw,relatime - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("postgresql://u@h/db", True),
        ("mysql://u@h/db", True),
        ("sqlite://", False),
        ("duckdb:///:memory:", False),
        ("sqlite:////app/a.db", False),
        ("duckdb:////tmp/a.db", False),
        ("duckdb:////scratch/a.db", False),
        ("duckdb:////data/a.db", True),
        ("duckdb:////claim/a.db", True),
        ("sqlite:////data/sub/../a.db", True),
        ("sqlite:////data/hidden/a.db", False),
        ("sqlite:////database/a.db", False),
        ("sqlite:////my%20disk/a.db", True),
    ],
)
def test_only_shared_disks_in_a_cluster(tmp_path: Path, url: str, fine: bool) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    check_shared(parse_url(url), {}, mounts)  # not in a cluster
    if fine:
        check_shared(parse_url(url), POD, mounts)
        return
    with pytest.raises(RunError) as caught:
        check_shared(parse_url(url), POD, mounts)
    assert caught.value.kind == "usage"
    assert "Use a server" in caught.value.hint


def test_a_step_in_a_cluster_refuses_before_it_opens_anything(tmp_path: Path) -> None:
    done = run_step(tmp_path, "sqlite:////dev/a.db", "SELECT 1", "--statements", "1", dialect="sqlite", **POD)
    assert done.code == 2
    (error,) = done.of("error")
    assert (error["kind"], "disk of one pod" in error["message"]) == ("usage", True)


@pytest.mark.parametrize(
    ("dialect", "url", "pair"),
    [
        ("snowflake", "postgresql://u@127.0.0.1:1/db", "postgres with postgresql://"),
        ("mysql", "postgresql://u@127.0.0.1:1/db", "postgres with postgresql://"),
        ("postgres", "mysql://u@127.0.0.1:1/db", "mysql with mysql://"),
        ("postgres", "sqlite://", "sqlite with sqlite://"),
        ("sqlite", "duckdb://", "duckdb with duckdb://"),
    ],
)
def test_a_step_compares_dialect_and_database(tmp_path: Path, dialect: str, url: str, pair: str) -> None:
    done = run_step(tmp_path, url, "SELECT 1", "--statements", "1", dialect=dialect)
    assert done.code == 2
    (error,) = done.of("error")
    assert f"the program's dialect is {dialect}" in error["message"]
    assert pair in error["hint"]


def test_aliases_of_a_dialect_fit(tmp_path: Path) -> None:
    assert run_step(tmp_path, "sqlite://", "SELECT 1", "--statements", "1", dialect="sqlite3").code == 0


def test_a_step_refuses_what_it_cannot_execute_before_it_begins(tmp_path: Path) -> None:
    text = "CREATE TABLE a (x int);\nSELECT * FROM a TO RUN team/image:1"
    url = f"sqlite:///{tmp_path}/a.db"
    done = run_step(tmp_path, url, text, "--statements", "1-2", dialect="sqlite")
    assert done.code == 2
    (error,) = done.of("error")
    assert (error["statement"], error["line"], error["column"], error["kind"]) == (2, 2, 24, "usage")
    assert not (tmp_path / "a.db").exists()
