//! The fields of NetworkPolicies, Ingresses and HorizontalPodAutoscalers' specs, read on demand.

use super::fields;
use k8s_openapi::api::{autoscaling::v2 as autoscaling, networking::v1 as networking};

fields! {
    networking::NetworkPolicySpec {
        egress "egress", ingress "ingress", pod_selector "podSelector",
        policy_types "policyTypes",
    }
    networking::NetworkPolicyIngressRule {
        from "from", ports "ports",
    }
    networking::NetworkPolicyEgressRule {
        ports "ports", to "to",
    }
    networking::NetworkPolicyPeer {
        ip_block "ipBlock", namespace_selector "namespaceSelector", pod_selector "podSelector",
    }
    networking::NetworkPolicyPort {
        end_port "endPort", port "port", protocol "protocol",
    }
    networking::IPBlock {
        cidr "cidr", except "except",
    }
    networking::IngressSpec {
        default_backend "defaultBackend", ingress_class_name "ingressClassName", rules "rules",
        tls "tls",
    }
    networking::IngressRule {
        host "host", http "http",
    }
    networking::HTTPIngressRuleValue {
        paths "paths",
    }
    networking::HTTPIngressPath {
        backend "backend", path "path", path_type "pathType",
    }
    networking::IngressBackend {
        service "service",
    }
    networking::IngressServiceBackend {
        name "name", port "port",
    }
    networking::ServiceBackendPort {
        name "name", number "number",
    }
    networking::IngressTLS {
        hosts "hosts", secret_name "secretName",
    }
    autoscaling::HorizontalPodAutoscalerSpec {
        behavior "behavior", max_replicas "maxReplicas", metrics "metrics",
        min_replicas "minReplicas", scale_target_ref "scaleTargetRef",
    }
    autoscaling::HorizontalPodAutoscalerBehavior {
        scale_down "scaleDown", scale_up "scaleUp",
    }
    autoscaling::HPAScalingRules {
        policies "policies", select_policy "selectPolicy",
        stabilization_window_seconds "stabilizationWindowSeconds", tolerance "tolerance",
    }
    autoscaling::HPAScalingPolicy {
        period_seconds "periodSeconds", type_ "type", value "value",
    }
    autoscaling::MetricSpec {
        container_resource "containerResource", resource "resource", type_ "type",
    }
    autoscaling::MetricTarget {
        average_utilization "averageUtilization", average_value "averageValue", type_ "type",
        value "value",
    }
    autoscaling::ResourceMetricSource {
        name "name", target "target",
    }
    autoscaling::ContainerResourceMetricSource {
        container "container", name "name", target "target",
    }
    autoscaling::CrossVersionObjectReference {
        api_version "apiVersion", kind "kind", name "name",
    }
}
