"""Affinity of the steps' pods, with Kubernetes' own field names."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sqlflow_operator.api.api_model import ApiModel


class LabelSelectorRequirement(ApiModel):
    """One condition on a label."""

    key: str = Field(description="The label.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"] = Field(description="How the label is compared.")
    values: tuple[str, ...] | None = Field(default=None, description="The values for In and NotIn.")


class LabelSelector(ApiModel):
    """Selects pods or namespaces by their labels. All conditions must hold."""

    match_labels: dict[str, str] | None = Field(default=None, description="Labels that must have exactly these values.")
    match_expressions: tuple[LabelSelectorRequirement, ...] | None = Field(
        default=None, description="Conditions on labels."
    )


class NodeSelectorRequirement(ApiModel):
    """One condition on a node's label or field."""

    key: str = Field(description="The label or field.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"] = Field(description="How it is compared.")
    values: tuple[str, ...] | None = Field(
        default=None, description="The values to compare with; one number for Gt and Lt."
    )


class NodeSelectorTerm(ApiModel):
    """Conditions on a node that must all hold."""

    match_expressions: tuple[NodeSelectorRequirement, ...] | None = Field(
        default=None, description="Conditions on labels."
    )
    match_fields: tuple[NodeSelectorRequirement, ...] | None = Field(
        default=None, description="Conditions on fields, such as metadata.name."
    )


class NodeSelector(ApiModel):
    """Nodes that match at least one of the terms."""

    node_selector_terms: tuple[NodeSelectorTerm, ...] = Field(description="The terms; one of them must match.")


class PreferredSchedulingTerm(ApiModel):
    """A preference for nodes."""

    weight: int = Field(description="How much it counts.", ge=1, le=100)
    preference: NodeSelectorTerm = Field(description="The nodes that are preferred.")


class NodeAffinity(ApiModel):
    """On which nodes the pods run."""

    required_during_scheduling_ignored_during_execution: NodeSelector | None = Field(
        default=None, description="The pods run only on these nodes."
    )
    preferred_during_scheduling_ignored_during_execution: tuple[PreferredSchedulingTerm, ...] | None = Field(
        default=None, description="The pods rather run on these nodes."
    )


class PodAffinityTerm(ApiModel):
    """Pods near which, or away from which, the pods run."""

    label_selector: LabelSelector | None = Field(default=None, description="The pods that are meant.")
    namespace_selector: LabelSelector | None = Field(default=None, description="Their namespaces, by labels.")
    namespaces: tuple[str, ...] | None = Field(
        default=None, description="Their namespaces, by name. Default: the job's own."
    )
    topology_key: str = Field(description="Label of nodes that says what near means, such as kubernetes.io/hostname.")
    match_label_keys: tuple[str, ...] | None = Field(
        default=None, description="Labels of the incoming pod whose values the selected pods share."
    )
    mismatch_label_keys: tuple[str, ...] | None = Field(
        default=None, description="Labels of the incoming pod whose values the selected pods do not share."
    )


class WeightedPodAffinityTerm(ApiModel):
    """A preference for pods."""

    weight: int = Field(description="How much it counts.", ge=1, le=100)
    pod_affinity_term: PodAffinityTerm = Field(description="The pods that are meant.")


class PodAffinity(ApiModel):
    """Near which pods the pods run."""

    required_during_scheduling_ignored_during_execution: tuple[PodAffinityTerm, ...] | None = Field(
        default=None, description="The pods run only near these."
    )
    preferred_during_scheduling_ignored_during_execution: tuple[WeightedPodAffinityTerm, ...] | None = Field(
        default=None, description="The pods rather run near these."
    )


class PodAntiAffinity(ApiModel):
    """Away from which pods the pods run."""

    required_during_scheduling_ignored_during_execution: tuple[PodAffinityTerm, ...] | None = Field(
        default=None, description="The pods never run near these."
    )
    preferred_during_scheduling_ignored_during_execution: tuple[WeightedPodAffinityTerm, ...] | None = Field(
        default=None, description="The pods rather run away from these."
    )


class Affinity(ApiModel):
    """On which nodes and near which pods the steps' pods run."""

    node_affinity: NodeAffinity | None = Field(default=None, description="On which nodes the pods run.")
    pod_affinity: PodAffinity | None = Field(default=None, description="Near which pods the pods run.")
    pod_anti_affinity: PodAntiAffinity | None = Field(default=None, description="Away from which pods the pods run.")
