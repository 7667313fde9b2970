//! The fields of a pod: spec, containers, probes, security, placement. Not its volumes.

use super::fields;
use k8s_openapi::api::core::v1 as core;

fields! {
    core::Affinity {
        node_affinity "nodeAffinity", pod_affinity "podAffinity",
        pod_anti_affinity "podAntiAffinity",
    }
    core::AppArmorProfile {
        localhost_profile "localhostProfile", type_ "type",
    }
    core::Capabilities {
        add "add", drop "drop",
    }
    core::ConfigMapEnvSource {
        name "name", optional "optional",
    }
    core::ConfigMapKeySelector {
        key "key", name "name", optional "optional",
    }
    core::Container {
        args "args", command "command", env "env", env_from "envFrom", image "image",
        image_pull_policy "imagePullPolicy", lifecycle "lifecycle",
        liveness_probe "livenessProbe", name "name", ports "ports",
        readiness_probe "readinessProbe", resize_policy "resizePolicy", resources "resources",
        restart_policy "restartPolicy", restart_policy_rules "restartPolicyRules",
        security_context "securityContext", startup_probe "startupProbe", stdin "stdin",
        stdin_once "stdinOnce", termination_message_path "terminationMessagePath",
        termination_message_policy "terminationMessagePolicy", tty "tty",
        volume_devices "volumeDevices", volume_mounts "volumeMounts", working_dir "workingDir",
    }
    core::ContainerPort {
        container_port "containerPort", host_ip "hostIP", host_port "hostPort", name "name",
        protocol "protocol",
    }
    core::ContainerResizePolicy {
        resource_name "resourceName", restart_policy "restartPolicy",
    }
    core::ContainerRestartRule {
        action "action", exit_codes "exitCodes",
    }
    core::ContainerRestartRuleOnExitCodes {
        operator "operator", values "values",
    }
    core::EnvFromSource {
        config_map_ref "configMapRef", prefix "prefix", secret_ref "secretRef",
    }
    core::EnvVar {
        name "name", value "value", value_from "valueFrom",
    }
    core::EnvVarSource {
        config_map_key_ref "configMapKeyRef", field_ref "fieldRef", file_key_ref "fileKeyRef",
        resource_field_ref "resourceFieldRef", secret_key_ref "secretKeyRef",
    }
    core::EphemeralContainer {
        args "args", command "command", env "env", env_from "envFrom", image "image",
        image_pull_policy "imagePullPolicy", lifecycle "lifecycle",
        liveness_probe "livenessProbe", name "name", ports "ports",
        readiness_probe "readinessProbe", resize_policy "resizePolicy", resources "resources",
        restart_policy "restartPolicy", restart_policy_rules "restartPolicyRules",
        security_context "securityContext", startup_probe "startupProbe", stdin "stdin",
        stdin_once "stdinOnce", target_container_name "targetContainerName",
        termination_message_path "terminationMessagePath",
        termination_message_policy "terminationMessagePolicy", tty "tty",
        volume_devices "volumeDevices", volume_mounts "volumeMounts", working_dir "workingDir",
    }
    core::ExecAction {
        command "command",
    }
    core::FileKeySelector {
        key "key", optional "optional", path "path", volume_name "volumeName",
    }
    core::GRPCAction {
        port "port", service "service",
    }
    core::HTTPGetAction {
        host "host", http_headers "httpHeaders", path "path", port "port", scheme "scheme",
    }
    core::HTTPHeader {
        name "name", value "value",
    }
    core::HostAlias {
        hostnames "hostnames", ip "ip",
    }
    core::Lifecycle {
        post_start "postStart", pre_stop "preStop", stop_signal "stopSignal",
    }
    core::LifecycleHandler {
        exec "exec", http_get "httpGet", sleep "sleep", tcp_socket "tcpSocket",
    }
    core::LocalObjectReference {
        name "name",
    }
    core::NodeAffinity {

        preferred_during_scheduling_ignored_during_execution "preferredDuringSchedulingIgnoredDuringExecution",
        required_during_scheduling_ignored_during_execution "requiredDuringSchedulingIgnoredDuringExecution",
    }
    core::NodeSelector {
        node_selector_terms "nodeSelectorTerms",
    }
    core::NodeSelectorRequirement {
        key "key", operator "operator", values "values",
    }
    core::NodeSelectorTerm {
        match_expressions "matchExpressions", match_fields "matchFields",
    }
    core::ObjectFieldSelector {
        api_version "apiVersion", field_path "fieldPath",
    }
    core::PodAffinity {

        preferred_during_scheduling_ignored_during_execution "preferredDuringSchedulingIgnoredDuringExecution",
        required_during_scheduling_ignored_during_execution "requiredDuringSchedulingIgnoredDuringExecution",
    }
    core::PodAffinityTerm {
        label_selector "labelSelector", match_label_keys "matchLabelKeys",
        mismatch_label_keys "mismatchLabelKeys", namespace_selector "namespaceSelector",
        namespaces "namespaces", topology_key "topologyKey",
    }
    core::PodAntiAffinity {

        preferred_during_scheduling_ignored_during_execution "preferredDuringSchedulingIgnoredDuringExecution",
        required_during_scheduling_ignored_during_execution "requiredDuringSchedulingIgnoredDuringExecution",
    }
    core::PodDNSConfig {
        nameservers "nameservers", options "options", searches "searches",
    }
    core::PodDNSConfigOption {
        name "name", value "value",
    }
    core::PodOS {
        name "name",
    }
    core::PodReadinessGate {
        condition_type "conditionType",
    }
    core::PodResourceClaim {
        name "name", resource_claim_name "resourceClaimName",
        resource_claim_template_name "resourceClaimTemplateName",
    }
    core::PodSchedulingGate {
        name "name",
    }
    core::PodSchedulingGroup {
        pod_group_name "podGroupName",
    }
    core::PodSecurityContext {
        app_armor_profile "appArmorProfile", fs_group "fsGroup",
        fs_group_change_policy "fsGroupChangePolicy", run_as_group "runAsGroup",
        run_as_non_root "runAsNonRoot", run_as_user "runAsUser",
        se_linux_change_policy "seLinuxChangePolicy", se_linux_options "seLinuxOptions",
        seccomp_profile "seccompProfile", supplemental_groups "supplementalGroups",
        supplemental_groups_policy "supplementalGroupsPolicy", sysctls "sysctls",
        windows_options "windowsOptions",
    }
    core::PodSpec {
        active_deadline_seconds "activeDeadlineSeconds", affinity "affinity",
        automount_service_account_token "automountServiceAccountToken", containers "containers",
        dns_config "dnsConfig", dns_policy "dnsPolicy", enable_service_links "enableServiceLinks",
        ephemeral_containers "ephemeralContainers", host_aliases "hostAliases",
        host_ipc "hostIPC", host_network "hostNetwork", host_pid "hostPID",
        host_users "hostUsers", hostname "hostname", hostname_override "hostnameOverride",
        image_pull_secrets "imagePullSecrets", init_containers "initContainers",
        node_name "nodeName", node_selector "nodeSelector", os "os", overhead "overhead",
        preemption_policy "preemptionPolicy", priority "priority",
        priority_class_name "priorityClassName", readiness_gates "readinessGates",
        resource_claims "resourceClaims", resources "resources", restart_policy "restartPolicy",
        runtime_class_name "runtimeClassName", scheduler_name "schedulerName",
        scheduling_gates "schedulingGates", scheduling_group "schedulingGroup",
        security_context "securityContext", service_account "serviceAccount",
        service_account_name "serviceAccountName", set_hostname_as_fqdn "setHostnameAsFQDN",
        share_process_namespace "shareProcessNamespace", subdomain "subdomain",
        termination_grace_period_seconds "terminationGracePeriodSeconds",
        tolerations "tolerations", topology_spread_constraints "topologySpreadConstraints",
        volumes "volumes",
    }
    core::PreferredSchedulingTerm {
        preference "preference", weight "weight",
    }
    core::Probe {
        exec "exec", failure_threshold "failureThreshold", grpc "grpc", http_get "httpGet",
        initial_delay_seconds "initialDelaySeconds", period_seconds "periodSeconds",
        success_threshold "successThreshold", tcp_socket "tcpSocket",
        termination_grace_period_seconds "terminationGracePeriodSeconds",
        timeout_seconds "timeoutSeconds",
    }
    core::ResourceClaim {
        name "name", request "request",
    }
    core::ResourceFieldSelector {
        container_name "containerName", divisor "divisor", resource "resource",
    }
    core::ResourceRequirements {
        claims "claims", limits "limits", requests "requests",
    }
    core::SELinuxOptions {
        level "level", role "role", type_ "type", user "user",
    }
    core::SeccompProfile {
        localhost_profile "localhostProfile", type_ "type",
    }
    core::SecretEnvSource {
        name "name", optional "optional",
    }
    core::SecretKeySelector {
        key "key", name "name", optional "optional",
    }
    core::SecurityContext {
        allow_privilege_escalation "allowPrivilegeEscalation",
        app_armor_profile "appArmorProfile", capabilities "capabilities", privileged "privileged",
        proc_mount "procMount", read_only_root_filesystem "readOnlyRootFilesystem",
        run_as_group "runAsGroup", run_as_non_root "runAsNonRoot", run_as_user "runAsUser",
        se_linux_options "seLinuxOptions", seccomp_profile "seccompProfile",
        windows_options "windowsOptions",
    }
    core::SleepAction {
        seconds "seconds",
    }
    core::Sysctl {
        name "name", value "value",
    }
    core::TCPSocketAction {
        host "host", port "port",
    }
    core::Toleration {
        effect "effect", key "key", operator "operator", toleration_seconds "tolerationSeconds",
        value "value",
    }
    core::TopologySpreadConstraint {
        label_selector "labelSelector", match_label_keys "matchLabelKeys", max_skew "maxSkew",
        min_domains "minDomains", node_affinity_policy "nodeAffinityPolicy",
        node_taints_policy "nodeTaintsPolicy", topology_key "topologyKey",
        when_unsatisfiable "whenUnsatisfiable",
    }
    core::VolumeDevice {
        device_path "devicePath", name "name",
    }
    core::VolumeMount {
        mount_path "mountPath", mount_propagation "mountPropagation", name "name",
        read_only "readOnly", recursive_read_only "recursiveReadOnly", sub_path "subPath",
        sub_path_expr "subPathExpr",
    }
    core::WeightedPodAffinityTerm {
        pod_affinity_term "podAffinityTerm", weight "weight",
    }
    core::WindowsSecurityContextOptions {
        gmsa_credential_spec "gmsaCredentialSpec",
        gmsa_credential_spec_name "gmsaCredentialSpecName", host_process "hostProcess",
        run_as_user_name "runAsUserName",
    }
}
