# Two images from one file: `operator` and `step`. Builds with docker (BuildKit), podman and buildah.
#   docker build --target step -t sqlflow-step:dev .
# BASE is any Debian-like image with Python 3.12 or newer as `python3`.
#
# Packages change seldom, the project's own code at every build: they are layers of their own, so that a build, a push
# and a pull after a change of code move a few hundred kilobytes. Where packages are reached only with settings of this
# machine's own, a build may bring them as secrets, which leave no trace.
ARG BASE=python:3.13-slim
# The packages of the step image: `step-slim` leaves out the neural networks (Keras and JAX).
ARG STEP_PACKAGES=step

# The project's own code, as it will lie over the packages. The environment has the path that it will have there,
# since the path of its Python is written into the scripts.
FROM ${BASE} AS code
WORKDIR /src
COPY requirements/build.txt /build.txt
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf --mount=type=secret,id=ca.crt,target=/run/devcluster/ca.crt \
    python3 -m venv /opt/sqlflow \
 && /opt/sqlflow/bin/pip install --no-cache-dir --no-deps --require-hashes -r /build.txt
COPY pyproject.toml README.md LICENSE ./
COPY codegen/ codegen/
COPY runtime/ runtime/
COPY operator/ operator/
COPY cli/ cli/
RUN /opt/sqlflow/bin/pip install --no-deps --no-build-isolation --prefix=/opt/own . \
 && /opt/sqlflow/bin/python -m compileall -q /opt/own/lib > /dev/null

FROM ${BASE} AS step-packages
ARG STEP_PACKAGES
COPY requirements/${STEP_PACKAGES}.txt requirements/licenses.py /requirements/
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf --mount=type=secret,id=ca.crt,target=/run/devcluster/ca.crt \
    python3 -m venv /opt/sqlflow \
 && /opt/sqlflow/bin/pip install --no-cache-dir --no-deps --require-hashes -r /requirements/${STEP_PACKAGES}.txt \
 && /opt/sqlflow/bin/python /requirements/licenses.py > /opt/sqlflow/THIRD_PARTY_LICENSES.md \
 && /opt/sqlflow/bin/python -m compileall -q -j 0 /opt/sqlflow/lib > /dev/null

FROM ${BASE} AS operator-packages
COPY requirements/operator.txt requirements/licenses.py /requirements/
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf --mount=type=secret,id=ca.crt,target=/run/devcluster/ca.crt \
    python3 -m venv /opt/sqlflow \
 && /opt/sqlflow/bin/pip install --no-cache-dir --no-deps --require-hashes -r /requirements/operator.txt \
 && /opt/sqlflow/bin/python /requirements/licenses.py > /opt/sqlflow/THIRD_PARTY_LICENSES.md \
 && /opt/sqlflow/bin/python -m compileall -q -j 0 /opt/sqlflow/lib > /dev/null

# Both programs read nothing but their own files and write nothing but /tmp: they run with a read-only root.
FROM ${BASE} AS step
COPY --from=step-packages /opt/sqlflow /opt/sqlflow
ENV PATH=/opt/sqlflow/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["sqlflow-step"]
COPY --from=code /opt/own /opt/sqlflow

FROM ${BASE} AS operator
COPY --from=operator-packages /opt/sqlflow /opt/sqlflow
ENV PATH=/opt/sqlflow/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["sqlflow-operator"]
COPY --from=code /opt/own /opt/sqlflow
