"""The spec of a SQLFlowJob. The one source of the CRD's schema and of its reference page."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field
from sqlflow_codegen.graph.ordering import Ordering

from sqlflow_operator.api.affinity import Affinity
from sqlflow_operator.api.api_model import ApiModel, DataKey, ObjectName, extension, rule
from sqlflow_operator.api.pod import EnvVar, LocalObjectReference, ResourceRequirements, Toleration
from sqlflow_operator.backend_registry import Backend

PROGRAM_LIMIT = 512 * 1024
"""Characters of a program that the API server accepts."""

MANAGEMENT_FIELDS = frozenset({"suspend", "ttl_seconds_after_finished", "active_deadline_seconds"})
"""Fields that steer a run. Changing one of them never starts another run; changing any other field does."""


class Dialect(StrEnum):
    """SQL dialects, by sqlglot's names."""

    POSTGRES = "postgres"
    MYSQL = "mysql"
    SQLITE = "sqlite"
    DUCKDB = "duckdb"
    HIVE = "hive"
    TRINO = "trino"
    SPARK = "spark"
    BIGQUERY = "bigquery"
    SNOWFLAKE = "snowflake"


class Fusion(StrEnum):
    """Auto: SQL statements may share a step. Off: each has its own."""

    AUTO = "Auto"
    OFF = "Off"


class SecretReference(ApiModel):
    """The Secret with the database's URL."""

    name: ObjectName = Field(description="Name of the Secret, in the job's namespace.")
    key: DataKey = Field(default="url", description="Key of the Secret that holds the URL.")


class DataSource(ApiModel):
    """The database that the program runs against."""

    secret_ref: SecretReference = Field(
        description="Secret whose key holds a SQLAlchemy URL, such as "
        "postgresql://user:password@host:5432/database. The URL appears nowhere else."
    )


class SQLFlowJobSpec(ApiModel):
    """The program, its database, and the way in which it runs."""

    program: str = Field(
        description="The SQL program: statements separated by semicolons. Plain SQL goes to the database as it is "
        "written; SELECT ... TO TRAIN, TO PREDICT and TO EVALUATE train and use models.",
        max_length=PROGRAM_LIMIT,
        json_schema_extra=extension(
            rule(r"self.matches('\\S')", "the program is blank: write at least one SQL statement")
        ),
    )
    dialect: Dialect = Field(default=Dialect.POSTGRES, description="SQL dialect of the database.")
    backend: Backend | None = Field(
        default=None,
        description="What executes the steps: argo (Argo Workflows), tekton (Tekton Pipelines) or job (a batch/v1 Job, "
        "which needs nothing installed). Left out, the operator chooses; status.run.backend shows which.",
    )
    data_source: DataSource = Field(description="The database that the program runs against.")
    ordering: Ordering = Field(
        default=Ordering.CONSERVATIVE,
        description="Which statements wait for which, where argo or tekton run steps side by side. Conservative: what "
        "statements read and write decides, and a table that the program did not create may be a view over others, or "
        "have triggers. Lineage: names decide; every table that existed before is taken for a plain table. "
        "Sequential: the order of the program. The backend job runs one step at a time, in the program's order.",
    )
    fusion: Fusion = Field(
        default=Fusion.AUTO,
        description="Auto: SQL statements share a step, and so a pod, where no long one waits for it. Off: every "
        "statement is a step of its own, but for those that share a temporary table or a transaction. YAML takes Off "
        'without quotes for a boolean: write "Off".',
    )
    image: str | None = Field(
        default=None,
        description="Image of the steps. Left out: the one that the operator was installed with.",
        max_length=1024,
        json_schema_extra=extension(
            rule(r"self.matches('^\\S+$')", "must be an image's name, without blanks, such as example.org/step:1.0")
        ),
    )
    model_store: str | None = Field(
        default=None,
        description="URL of the models, such as s3://bucket/folder, or a folder of a volume. The credentials go into "
        "env (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL and the like). Left out: the operator's default "
        "(SQLFLOW_MODEL_STORE), or the program's own database as shipped.",
        max_length=1024,
        json_schema_extra=extension(
            rule(
                r"self.matches('^[^\\s$@]+$')",
                "must be a URL such as s3://bucket/folder, or a path, without blanks, $ and credentials",
            )
        ),
    )
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = Field(
        default=None, description="When the image is pulled. Default: Always for the tag latest, else IfNotPresent."
    )
    service_account_name: ObjectName | None = Field(
        default=None,
        description="Service account of the steps' pods. No token of it is mounted. Default: the namespace's.",
    )
    resources: ResourceRequirements | None = Field(
        default=None,
        description="CPU, memory and other resources of each step's container. What is neither requested nor limited "
        "is requested as the operator's default (SQLFLOW_STEP_REQUESTS) says: cpu 100m and memory 256Mi, as shipped.",
    )
    env: tuple[EnvVar, ...] | None = Field(
        default=None,
        description="Further environment variables of every step.",
        max_length=100,
        json_schema_extra=extension(
            rule(
                "self.all(e, !e.name.startsWith('SQLFLOW_'))",
                "names that start with SQLFLOW_ are reserved for the operator: choose another name",
            ),
            rule(
                "self.all(e, !(has(e.value) && has(e.valueFrom)))",
                "give value or valueFrom, not both",
            ),
            list_type="map",
            list_map_keys=["name"],
        ),
    )
    node_selector: dict[str, str] | None = Field(
        default=None, description="Labels that a node must have for the steps' pods to run on it."
    )
    tolerations: tuple[Toleration, ...] | None = Field(
        default=None,
        description="Taints that the steps' pods tolerate.",
        max_length=100,
        json_schema_extra=extension(
            rule(
                "self.all(t, !(has(t.operator) && t.operator == 'Exists' && has(t.value) && t.value != ''))",
                "a toleration with operator Exists takes no value",
            ),
            list_type="atomic",
        ),
    )
    affinity: Affinity | None = Field(
        default=None, description="On which nodes and near which pods the steps' pods run."
    )
    image_pull_secrets: tuple[LocalObjectReference, ...] | None = Field(
        default=None,
        description="Secrets with the credentials of the image's registry, in the job's namespace.",
        max_length=20,
        json_schema_extra=extension(list_type="map", list_map_keys=["name"]),
    )
    retries: int = Field(
        default=0,
        description="How often a failed run is tried again, from the first statement that is not done. Wrong SQL and "
        "wrong data count too; a program that cannot run at all is not tried again.",
        ge=0,
        le=10,
    )
    active_deadline_seconds: int | None = Field(
        default=None,
        description="Seconds that a run may take, retries included, from its start or from its resumption after "
        "suspend. After that it is stopped and the job is Failed with reason DeadlineExceeded. May be changed "
        "while a run is going on.",
        ge=1,
        le=2_147_483_647,
    )
    ttl_seconds_after_finished: int | None = Field(
        default=None,
        description="Seconds after a run's end until its child object and pods, and with them its logs, are deleted. "
        "The job and its status stay. Left out: the operator's default (SQLFLOW_TTL_SECONDS_AFTER_FINISHED), 7 days as "
        "shipped.",
        ge=0,
        le=2_147_483_647,
    )
    suspend: bool = Field(
        default=False,
        description="true: start nothing, and stop what is running; false: start, or go on, "
        "with the first statement that is not done.",
    )
    preview_rows: int = Field(
        default=100, description="How many rows of a SELECT's result a step writes to its log.", ge=0, le=10_000
    )
    rerun_token: str | None = Field(
        default=None,
        description="Any text, such as a date. A new value asks for another run of the same program.",
        max_length=253,
    )

    def run_fields(self) -> dict[str, Any]:
        """The fields that make a run, as JSON: two specs with equal ones ask for the same run.

        Fields that are not set or have their default are left out, so that a new operator with new fields gives
        the same answer for an old spec.
        """
        return self.model_dump(
            mode="json", by_alias=True, exclude_none=True, exclude_defaults=True, exclude=set(MANAGEMENT_FIELDS)
        )
