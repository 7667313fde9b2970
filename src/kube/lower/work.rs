//! The fields of workloads, Services, ConfigMaps, Secrets and of the metadata of all.

use super::fields;
use k8s_openapi::api::{apps::v1 as apps, batch::v1 as batch, core::v1 as core};
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;

fields! {
    apps::DaemonSet {
        metadata "metadata", spec "spec",
    }
    apps::DaemonSetSpec {
        min_ready_seconds "minReadySeconds", revision_history_limit "revisionHistoryLimit",
        selector "selector", template "template", update_strategy "updateStrategy",
    }
    apps::DaemonSetUpdateStrategy {
        rolling_update "rollingUpdate", type_ "type",
    }
    apps::Deployment {
        metadata "metadata", spec "spec",
    }
    apps::DeploymentSpec {
        min_ready_seconds "minReadySeconds", paused "paused",
        progress_deadline_seconds "progressDeadlineSeconds", replicas "replicas",
        revision_history_limit "revisionHistoryLimit", selector "selector", strategy "strategy",
        template "template",
    }
    apps::DeploymentStrategy {
        rolling_update "rollingUpdate", type_ "type",
    }
    apps::ReplicaSet {
        metadata "metadata", spec "spec",
    }
    apps::ReplicaSetSpec {
        min_ready_seconds "minReadySeconds", replicas "replicas", selector "selector",
        template "template",
    }
    apps::RollingUpdateDaemonSet {
        max_surge "maxSurge", max_unavailable "maxUnavailable",
    }
    apps::RollingUpdateDeployment {
        max_surge "maxSurge", max_unavailable "maxUnavailable",
    }
    apps::RollingUpdateStatefulSetStrategy {
        max_unavailable "maxUnavailable", partition "partition",
    }
    apps::StatefulSet {
        metadata "metadata", spec "spec",
    }
    apps::StatefulSetOrdinals {
        start "start",
    }
    apps::StatefulSetPersistentVolumeClaimRetentionPolicy {
        when_deleted "whenDeleted", when_scaled "whenScaled",
    }
    apps::StatefulSetSpec {
        min_ready_seconds "minReadySeconds", ordinals "ordinals",
        persistent_volume_claim_retention_policy "persistentVolumeClaimRetentionPolicy",
        pod_management_policy "podManagementPolicy", replicas "replicas",
        revision_history_limit "revisionHistoryLimit", selector "selector",
        service_name "serviceName", template "template", update_strategy "updateStrategy",
        volume_claim_templates "volumeClaimTemplates",
    }
    apps::StatefulSetUpdateStrategy {
        rolling_update "rollingUpdate", type_ "type",
    }
    batch::CronJob {
        metadata "metadata", spec "spec",
    }
    batch::CronJobSpec {
        concurrency_policy "concurrencyPolicy",
        failed_jobs_history_limit "failedJobsHistoryLimit", job_template "jobTemplate",
        schedule "schedule", starting_deadline_seconds "startingDeadlineSeconds",
        successful_jobs_history_limit "successfulJobsHistoryLimit", suspend "suspend",
        time_zone "timeZone",
    }
    batch::Job {
        metadata "metadata", spec "spec",
    }
    batch::JobSpec {
        active_deadline_seconds "activeDeadlineSeconds", backoff_limit "backoffLimit",
        backoff_limit_per_index "backoffLimitPerIndex", completion_mode "completionMode",
        completions "completions", managed_by "managedBy", manual_selector "manualSelector",
        max_failed_indexes "maxFailedIndexes", parallelism "parallelism",
        pod_failure_policy "podFailurePolicy", pod_replacement_policy "podReplacementPolicy",
        selector "selector", success_policy "successPolicy", suspend "suspend",
        template "template", ttl_seconds_after_finished "ttlSecondsAfterFinished",
    }
    batch::JobTemplateSpec {
        metadata "metadata", spec "spec",
    }
    batch::PodFailurePolicy {
        rules "rules",
    }
    batch::PodFailurePolicyOnExitCodesRequirement {
        container_name "containerName", operator "operator", values "values",
    }
    batch::PodFailurePolicyOnPodConditionsPattern {
        type_ "type",
    }
    batch::PodFailurePolicyRule {
        action "action", on_exit_codes "onExitCodes", on_pod_conditions "onPodConditions",
    }
    batch::SuccessPolicy {
        rules "rules",
    }
    batch::SuccessPolicyRule {
        succeeded_count "succeededCount", succeeded_indexes "succeededIndexes",
    }
    core::ClientIPConfig {
        timeout_seconds "timeoutSeconds",
    }
    core::ConfigMap {
        binary_data "binaryData", data "data", immutable "immutable", metadata "metadata",
    }
    core::Pod {
        metadata "metadata", spec "spec",
    }
    core::PodTemplateSpec {
        metadata "metadata", spec "spec",
    }
    core::Secret {
        data "data", immutable "immutable", metadata "metadata", string_data "stringData",
        type_ "type",
    }
    core::Service {
        metadata "metadata", spec "spec",
    }
    core::ServicePort {
        app_protocol "appProtocol", name "name", node_port "nodePort", port "port",
        protocol "protocol", target_port "targetPort",
    }
    core::ServiceSpec {
        allocate_load_balancer_node_ports "allocateLoadBalancerNodePorts", cluster_ip "clusterIP",
        cluster_ips "clusterIPs", external_ips "externalIPs", external_name "externalName",
        external_traffic_policy "externalTrafficPolicy",
        health_check_node_port "healthCheckNodePort",
        internal_traffic_policy "internalTrafficPolicy", ip_families "ipFamilies",
        ip_family_policy "ipFamilyPolicy", load_balancer_class "loadBalancerClass",
        load_balancer_ip "loadBalancerIP", load_balancer_source_ranges "loadBalancerSourceRanges",
        ports "ports", publish_not_ready_addresses "publishNotReadyAddresses",
        selector "selector", session_affinity "sessionAffinity",
        session_affinity_config "sessionAffinityConfig",
        traffic_distribution "trafficDistribution", type_ "type",
    }
    core::SessionAffinityConfig {
        client_ip "clientIP",
    }
    meta::LabelSelector {
        match_expressions "matchExpressions", match_labels "matchLabels",
    }
    meta::LabelSelectorRequirement {
        key "key", operator "operator", values "values",
    }
    meta::ObjectMeta {
        annotations "annotations", deletion_grace_period_seconds "deletionGracePeriodSeconds",
        finalizers "finalizers", generate_name "generateName", generation "generation",
        labels "labels", name "name", namespace "namespace", owner_references "ownerReferences",
        resource_version "resourceVersion", self_link "selfLink", uid "uid",
    }
    meta::OwnerReference {
        api_version "apiVersion", block_owner_deletion "blockOwnerDeletion",
        controller "controller", kind "kind", name "name", uid "uid",
    }
}
