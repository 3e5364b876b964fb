"""Text that no template may touch: it travels in a ConfigMap and is read from a file or a variable."""

import fluid

TEXT = "$(params.name) and $$ and $(HOME) arrive as they are\n"

message = fluid.ConfigMap("message", {"message.txt": TEXT}, immutable=True)

with fluid.Task("show") as show:
    fluid.step(
        "show",
        image="busybox:1.36",
        args=["cat", "/message/message.txt", "costs $(not a variable) $5"],
        env={"MESSAGE": fluid.ConfigMapKey("message", "message.txt"), "WHERE": f"{fluid.var('HOME')}/x"},
        mounts={"/message": fluid.Volume("message", fluid.volumes.config_map("message"))},
    )

fluid.TaskRun(show, name="show-1", timeout=0)
