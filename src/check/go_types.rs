//! How Go calls the types of fields, where the API's schema says only "string" or leaves out an
//! embedded struct. Decoding errors name these.

use crate::kube::schema::{Shape, Type};

/// Fields whose Go type is a named string: `Struct.field GoType`, a line each.
const NAMED: &str = "\
AppArmorProfile.type AppArmorProfileType
Capabilities.add Capability
Capabilities.drop Capability
Container.imagePullPolicy PullPolicy
Container.restartPolicy ContainerRestartPolicy
Container.terminationMessagePolicy TerminationMessagePolicy
ContainerPort.protocol Protocol
ContainerResizePolicy.resourceName ResourceName
ContainerResizePolicy.restartPolicy ResourceResizeRestartPolicy
ContainerResourceMetricSource.name v1.ResourceName
ContainerRestartRule.action ContainerRestartRuleAction
ContainerRestartRuleOnExitCodes.operator ContainerRestartRuleOnExitCodesOperator
CronJobSpec.concurrencyPolicy ConcurrencyPolicy
DaemonSetUpdateStrategy.type DaemonSetUpdateStrategyType
DeploymentStrategy.type DeploymentStrategyType
EmptyDirVolumeSource.medium StorageMedium
HPAScalingPolicy.type HPAScalingPolicyType
HPAScalingRules.selectPolicy ScalingPolicySelect
HTTPGetAction.scheme URIScheme
HTTPIngressPath.pathType PathType
HostPathVolumeSource.type HostPathType
ImageVolumeSource.pullPolicy PullPolicy
JobSpec.completionMode CompletionMode
JobSpec.podReplacementPolicy PodReplacementPolicy
LabelSelectorRequirement.operator LabelSelectorOperator
Lifecycle.stopSignal Signal
MetricSpec.type MetricSourceType
MetricTarget.type MetricTargetType
NamespaceSpec.finalizers FinalizerName
NetworkPolicyPort.protocol Protocol
NetworkPolicySpec.policyTypes PolicyType
NodeSelectorRequirement.operator NodeSelectorOperator
ObjectMeta.uid types.UID
OwnerReference.uid types.UID
PersistentVolumeClaimSpec.accessModes PersistentVolumeAccessMode
PersistentVolumeClaimSpec.volumeMode PersistentVolumeMode
PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy UnhealthyPodEvictionPolicyType
PodFailurePolicyOnExitCodesRequirement.operator PodFailurePolicyOnExitCodesOperator
PodFailurePolicyOnPodConditionsPattern.status ConditionStatus
PodFailurePolicyOnPodConditionsPattern.type PodConditionType
PodFailurePolicyRule.action PodFailurePolicyAction
PodOS.name OSName
PodReadinessGate.conditionType PodConditionType
PodSecurityContext.fsGroupChangePolicy PodFSGroupChangePolicy
PodSecurityContext.seLinuxChangePolicy PodSELinuxChangePolicy
PodSecurityContext.supplementalGroupsPolicy SupplementalGroupsPolicy
PodSpec.dnsPolicy DNSPolicy
PodSpec.preemptionPolicy PreemptionPolicy
PodSpec.restartPolicy RestartPolicy
SeccompProfile.type SeccompProfileType
Secret.type SecretType
SecurityContext.procMount ProcMountType
ServicePort.protocol Protocol
ServiceSpec.externalTrafficPolicy ServiceExternalTrafficPolicy
ServiceSpec.internalTrafficPolicy ServiceInternalTrafficPolicy
ServiceSpec.ipFamilies IPFamily
ServiceSpec.ipFamilyPolicy IPFamilyPolicy
ServiceSpec.sessionAffinity ServiceAffinity
ServiceSpec.type ServiceType
ResourceMetricSource.name v1.ResourceName
StatefulSetPersistentVolumeClaimRetentionPolicy.whenDeleted PersistentVolumeClaimRetentionPolicyType
StatefulSetPersistentVolumeClaimRetentionPolicy.whenScaled PersistentVolumeClaimRetentionPolicyType
StatefulSetSpec.podManagementPolicy PodManagementPolicyType
StatefulSetUpdateStrategy.type StatefulSetUpdateStrategyType
Toleration.effect TaintEffect
Toleration.operator TolerationOperator
TopologySpreadConstraint.nodeAffinityPolicy NodeInclusionPolicy
TopologySpreadConstraint.nodeTaintsPolicy NodeInclusionPolicy
TopologySpreadConstraint.whenUnsatisfiable UnsatisfiableConstraintAction
VolumeMount.mountPropagation MountPropagationMode
VolumeMount.recursiveReadOnly RecursiveReadOnlyMode
AzureDiskVolumeSource.cachingMode AzureDataDiskCachingMode
AzureDiskVolumeSource.kind AzureDataDiskKind
EndpointPort.protocol Protocol
EndpointSlice.addressType AddressType
LimitRangeItem.type LimitType
PersistentVolumeSpec.accessModes PersistentVolumeAccessMode
PersistentVolumeSpec.persistentVolumeReclaimPolicy PersistentVolumeReclaimPolicy
PersistentVolumeSpec.volumeMode PersistentVolumeMode
PriorityClass.preemptionPolicy v1.PreemptionPolicy
ResourceQuotaSpec.scopes ResourceQuotaScope
ScopedResourceSelectorRequirement.operator ScopeSelectorOperator
ScopedResourceSelectorRequirement.scopeName ResourceQuotaScope
StorageClass.reclaimPolicy v1.PersistentVolumeReclaimPolicy
StorageClass.volumeBindingMode VolumeBindingMode
";

/// `Container` of `v1.Container`.
pub(super) fn bare_name(of: &Type) -> &'static str {
    let name = of.go_name();
    name.split_once('.').map_or(name, |(_, bare)| bare)
}

/// The struct embedded in `of` that the field really stands in; messages name it in the path.
pub(super) fn embedded(of: &Type, field: &str) -> Option<&'static str> {
    match (bare_name(of), field) {
        ("Volume", field) if field != "name" => Some("VolumeSource"),
        ("Probe", "exec" | "httpGet" | "tcpSocket" | "grpc") => Some("ProbeHandler"),
        ("EphemeralContainer", field) if field != "targetContainerName" => {
            Some("EphemeralContainerCommon")
        }
        ("PersistentVolumeClaim", "apiVersion" | "kind") => Some("TypeMeta"),
        ("PersistentVolumeSpec", field) if super::rules::is_volume_source(field) => {
            Some("PersistentVolumeSource")
        }
        ("IngressRule", "http") => Some("IngressRuleValue"),
        (
            "ConfigMapEnvSource"
            | "ConfigMapKeySelector"
            | "ConfigMapProjection"
            | "ConfigMapVolumeSource"
            | "SecretEnvSource"
            | "SecretKeySelector"
            | "SecretProjection",
            "name",
        ) => Some("LocalObjectReference"),
        _ => None,
    }
}

/// The Go type of a value of `shape` that stands in the field `field` of `of`.
pub(super) fn name(of: &Type, field: &str, shape: &Shape) -> String {
    match shape {
        Shape::String => named(of, field).unwrap_or_else(|| "string".to_owned()),
        Shape::Int32 | Shape::IntOrString => "int32".to_owned(),
        Shape::Int64 => "int64".to_owned(),
        Shape::Double => "float64".to_owned(),
        Shape::Bool => "bool".to_owned(),
        Shape::Bytes => "[]uint8".to_owned(),
        Shape::Quantity => "resource.Quantity".to_owned(),
        Shape::Time => "v1.Time".to_owned(),
        Shape::Any => "runtime.RawExtension".to_owned(),
        Shape::Struct(name) => name.rsplit('/').next().unwrap_or(name).to_owned(),
        Shape::Array(inner) => format!("[]{}", self::name(of, field, inner)),
        Shape::Map(inner) if **inner == Shape::Quantity => "v1.ResourceList".to_owned(),
        Shape::Map(inner) => format!("map[string]{}", self::name(of, field, inner)),
    }
}

fn named(of: &Type, field: &str) -> Option<String> {
    let (package, owner) = of.go_name().split_once('.')?;
    let row = NAMED.lines().find_map(|line| {
        let (path, name) = line.split_once(' ')?;
        (path.split_once('.') == Some((owner, field))).then_some(name)
    })?;
    Some(if row.contains('.') { row.to_owned() } else { format!("{package}.{row}") })
}
