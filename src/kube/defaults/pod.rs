//! Defaults of pods and pod templates.

use super::{fill, fill_text};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use std::collections::BTreeMap;

/// Mode of files in volumes made of objects: 0644.
const FILE_MODE: i32 = 0o644;

/// A Pod of its own; templates get only `pod_spec`.
pub fn pod(object: &mut core::Pod) {
    let Some(spec) = &mut object.spec else { return };
    for container in spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten()) {
        requests_from_limits(container.resources.as_mut());
    }
    requests_from_limits(spec.resources.as_mut());
    fill(&mut spec.enable_service_links, true);
    pod_spec(spec);
}

fn requests_from_limits(resources: Option<&mut core::ResourceRequirements>) {
    let Some(resources) = resources else { return };
    let Some(limits) = &resources.limits else { return };
    let requests: &mut BTreeMap<String, Quantity> = resources.requests.get_or_insert_default();
    for (name, limit) in limits {
        requests.entry(name.clone()).or_insert_with(|| limit.clone());
    }
}

/// What admission gives each pod, whoever made it.
///
/// Models plugin/pkg/admission/{serviceaccount,priority,defaulttolerationseconds}; the volume with
/// the service account's token is the kubelet's and the simulator's matter.
pub fn admit_pod(object: &mut core::Pod) {
    let Some(spec) = &mut object.spec else { return };
    fill_text(&mut spec.service_account_name, "default");
    spec.service_account = spec.service_account_name.clone();
    if spec.priority_class_name.is_none() {
        fill(&mut spec.priority, 0);
        fill_text(&mut spec.preemption_policy, "PreemptLowerPriority");
    }
    let tolerations = spec.tolerations.get_or_insert_default();
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerated = tolerations.iter().any(|one| {
            let any_key = one.key.as_deref().unwrap_or("").is_empty();
            let no_execute = matches!(one.effect.as_deref(), None | Some("" | "NoExecute"));
            no_execute && (any_key || one.key.as_deref() == Some(key))
        });
        if !tolerated {
            tolerations.push(core::Toleration {
                key: Some(key.into()),
                operator: Some("Exists".into()),
                effect: Some("NoExecute".into()),
                toleration_seconds: Some(300),
                value: None,
            });
        }
    }
}

/// Models SetDefaults_PodSpec and the defaults of all that is in it.
pub fn pod_spec(spec: &mut core::PodSpec) {
    fill_text(&mut spec.dns_policy, "ClusterFirst");
    fill_text(&mut spec.restart_policy, "Always");
    fill(&mut spec.security_context, core::PodSecurityContext::default());
    fill(&mut spec.termination_grace_period_seconds, 30);
    fill_text(&mut spec.scheduler_name, "default-scheduler");
    if spec.service_account_name.as_deref().unwrap_or("").is_empty() {
        spec.service_account_name = spec.service_account.clone();
    }
    let host_network = spec.host_network == Some(true);
    for one in spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten()) {
        container(one);
        for port in one.ports.iter_mut().flatten().filter(|_| host_network) {
            if port.host_port.unwrap_or(0) == 0 {
                port.host_port = Some(port.container_port);
            }
        }
    }
    spec.volumes.iter_mut().flatten().for_each(volume);
}

/// The same of a container that is added to a running pod.
pub fn ephemeral(one: &mut core::EphemeralContainer) {
    fill_text(&mut one.image_pull_policy, pull_policy(one.image.as_deref().unwrap_or("")));
    fill_text(&mut one.termination_message_path, "/dev/termination-log");
    fill_text(&mut one.termination_message_policy, "File");
}

fn container(one: &mut core::Container) {
    let image = one.image.as_deref().unwrap_or("");
    fill_text(&mut one.image_pull_policy, pull_policy(image));
    fill_text(&mut one.termination_message_path, "/dev/termination-log");
    fill_text(&mut one.termination_message_policy, "File");
    for port in one.ports.iter_mut().flatten() {
        fill_text(&mut port.protocol, "TCP");
    }
    for env in one.env.iter_mut().flatten() {
        let from = env.value_from.as_mut();
        from.and_then(|from| from.field_ref.as_mut()).into_iter().for_each(field_ref);
    }
    for one in [&mut one.liveness_probe, &mut one.readiness_probe, &mut one.startup_probe] {
        one.iter_mut().for_each(probe);
    }
    let hooks = one.lifecycle.as_mut();
    for hook in hooks.into_iter().flat_map(|hooks| [&mut hooks.post_start, &mut hooks.pre_stop]) {
        hook.iter_mut().for_each(|hook| hook.http_get.iter_mut().for_each(http_get));
    }
}

/// Always for `:latest` or no tag, as long as no digest pins the image.
fn pull_policy(image: &str) -> &'static str {
    let name = image.rsplit('/').next().unwrap_or(image);
    let latest = match name.split_once(':') {
        _ if name.contains('@') => false,
        Some((_, tag)) => tag == "latest",
        None => true,
    };
    if latest { "Always" } else { "IfNotPresent" }
}

fn field_ref(one: &mut core::ObjectFieldSelector) {
    fill_text(&mut one.api_version, "v1");
}

/// Zero counts as unset for the numbers of a probe.
fn probe(one: &mut core::Probe) {
    let numbers = [
        (&mut one.timeout_seconds, 1),
        (&mut one.period_seconds, 10),
        (&mut one.success_threshold, 1),
        (&mut one.failure_threshold, 3),
    ];
    for (slot, value) in numbers {
        if slot.unwrap_or(0) == 0 {
            *slot = Some(value);
        }
    }
    one.http_get.iter_mut().for_each(http_get);
    one.grpc.iter_mut().for_each(|grpc| fill(&mut grpc.service, String::new()));
}

fn http_get(one: &mut core::HTTPGetAction) {
    fill_text(&mut one.path, "/");
    fill_text(&mut one.scheme, "HTTP");
}

fn volume(one: &mut core::Volume) {
    let bare = core::Volume { name: one.name.clone(), ..core::Volume::default() };
    if *one == bare {
        one.empty_dir = Some(core::EmptyDirVolumeSource::default());
    }
    one.config_map.iter_mut().for_each(|from| fill(&mut from.default_mode, FILE_MODE));
    one.secret.iter_mut().for_each(|from| fill(&mut from.default_mode, FILE_MODE));
    one.host_path.iter_mut().for_each(|path| fill(&mut path.type_, String::new()));
    for from in one.downward_api.iter_mut() {
        fill(&mut from.default_mode, FILE_MODE);
        let items = from.items.iter_mut().flatten();
        items.filter_map(|item| item.field_ref.as_mut()).for_each(field_ref);
    }
    for from in one.image.iter_mut() {
        let reference = from.reference.clone().unwrap_or_default();
        fill_text(&mut from.pull_policy, pull_policy(&reference));
    }
    let template = one.ephemeral.as_mut().and_then(|from| from.volume_claim_template.as_mut());
    template.into_iter().for_each(|claim| fill_text(&mut claim.spec.volume_mode, "Filesystem"));
    one.projected.iter_mut().for_each(projected);
}

fn projected(from: &mut core::ProjectedVolumeSource) {
    fill(&mut from.default_mode, FILE_MODE);
    for source in from.sources.iter_mut().flatten() {
        for token in source.service_account_token.iter_mut() {
            fill(&mut token.expiration_seconds, 3600);
        }
        let files = source.downward_api.iter_mut().flat_map(|from| from.items.iter_mut().flatten());
        files.filter_map(|item| item.field_ref.as_mut()).for_each(field_ref);
    }
}
