# Two images from one file: `operator` and `step`. Builds with docker (BuildKit), podman and buildah.
#   docker build --target step -t sqlflow-step:dev .
# BASE is any Debian-like image with Python 3.11 or newer as `python3`.
ARG BASE=python:3.12-slim

FROM ${BASE} AS wheel
WORKDIR /src
COPY requirements/constraints.txt /constraints.txt
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf --mount=type=secret,id=ca.crt,target=/run/devcluster/ca.crt \
    python3 -m venv /opt/build && /opt/build/bin/pip install --no-cache-dir -c /constraints.txt hatchling
COPY pyproject.toml README.md LICENSE ./
COPY codegen/ codegen/
COPY runtime/ runtime/
COPY operator/ operator/
COPY cli/ cli/
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation -w /wheels .

# Where packages are reached only with settings of the machine's own, a build may bring them as secrets: they leave no trace.
# Packages change seldom, the project's own code at every build: two layers each.
FROM ${BASE} AS step-packages
COPY requirements/constraints.txt requirements/step.txt /requirements/
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf --mount=type=secret,id=ca.crt,target=/run/devcluster/ca.crt \
    python3 -m venv /opt/sqlflow \
 && /opt/sqlflow/bin/pip install --no-cache-dir -c /requirements/constraints.txt -r /requirements/step.txt \
 && /opt/sqlflow/bin/python -m compileall -q -j 0 /opt/sqlflow/lib > /dev/null

FROM step-packages AS step-venv
COPY --from=wheel /wheels/ /wheels/
RUN /opt/sqlflow/bin/pip install --no-cache-dir --no-deps --no-index /wheels/*.whl \
 && /opt/sqlflow/bin/python -m compileall -q /opt/sqlflow/lib/python3*/site-packages/sqlflow_* > /dev/null

FROM ${BASE} AS operator-packages
COPY requirements/constraints.txt requirements/operator.txt /requirements/
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf --mount=type=secret,id=ca.crt,target=/run/devcluster/ca.crt \
    python3 -m venv /opt/sqlflow \
 && /opt/sqlflow/bin/pip install --no-cache-dir -c /requirements/constraints.txt -r /requirements/operator.txt \
 && /opt/sqlflow/bin/python -m compileall -q -j 0 /opt/sqlflow/lib > /dev/null

FROM operator-packages AS operator-venv
COPY --from=wheel /wheels/ /wheels/
RUN /opt/sqlflow/bin/pip install --no-cache-dir --no-deps --no-index /wheels/*.whl \
 && /opt/sqlflow/bin/python -m compileall -q /opt/sqlflow/lib/python3*/site-packages/sqlflow_* > /dev/null

# The executables read nothing but their own files and write nothing but /tmp: both run with a read-only root.
FROM ${BASE} AS step
COPY --from=step-venv /opt/sqlflow /opt/sqlflow
ENV PATH=/opt/sqlflow/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["sqlflow-step"]

FROM ${BASE} AS operator
COPY --from=operator-venv /opt/sqlflow /opt/sqlflow
ENV PATH=/opt/sqlflow/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["sqlflow-operator"]
