"""Clone, build two images side by side, deploy if asked to, and always report."""

import fluid


@fluid.task
def clone(url: str, source: fluid.Workspace, revision: str = "main") -> None:
    """Check out a repository."""
    commit = fluid.result("commit", description="the commit that was checked out")
    fluid.step(
        "clone",
        image="alpine/git:2.47",
        script=f"""
            #!/bin/sh -eu
            git clone --depth 1 --branch "{revision}" "{url}" "{source.path}"
            git -C "{source.path}" rev-parse HEAD | tr -d '\\n' > "{commit.path}"
        """,
    )


@fluid.task(labels={"team": "platform"})
def build_image(image: str, source: fluid.Workspace, context: str = ".") -> None:
    """Build and push an image without a daemon."""
    digest = fluid.result("digest")
    fluid.step(
        "build",
        image="kaniko/executor:v1.24.0",
        args=[
            f"--context={source.path}/{context}",
            f"--destination={image}",
            f"--digest-file={digest.path}",
        ],
        env={"DOCKER_CONFIG": "/docker", "HTTP_PROXY": fluid.SecretKey("proxy", "url", optional=True)},
        mounts={"/docker": fluid.Volume("docker-config", fluid.volumes.secret("registry"))},
        resources={"requests": {"cpu": "1", "memory": "2Gi"}},
    )


@fluid.task
def deploy(images: list[str]) -> None:
    """Roll the images out."""
    fluid.step("kubectl", image="bitnami/kubectl:1.34", command=["deploy.sh"], args=images)


@fluid.task
def report(status: str, commit: str = "") -> None:
    """Report what came out."""
    fluid.step("print", image="busybox:1.36", env={"STATUS": status, "COMMIT": commit}, script='echo "$STATUS $COMMIT"')


@fluid.pipeline
def release(url: str, source: fluid.Workspace, environment: str = "none") -> None:
    """Build everything, deploy if an environment is named."""
    cloned = clone(url=url)
    api = build_image("api", image="registry.local/api", context="api", run_after=[cloned], retries=1)
    web = build_image("web", image="registry.local/web", context="web", run_after=[cloned], retries=1)
    deploy(
        images=[f"registry.local/api@{api.results.digest}", f"registry.local/web@{web.results.digest}"],
        when=fluid.when(environment).is_in("staging", "production"),
        timeout="15m",
    )
    with fluid.finally_():
        report(status=cloned.status, commit=fluid.reference("context.pipelineRun.name"))


fluid.PipelineRun(
    release,
    generate_name="release-",
    params={"url": "https://git.local/shop.git", "environment": "staging"},
    workspaces={"source": fluid.volumes.claim_template("2Gi")},
    timeout="1h",
    tasks_timeout="50m",
    finally_timeout="10m",
    service_account="builder",
    pod_template=fluid.PodTemplate(security_context={"fsGroup": 65532}),
)
