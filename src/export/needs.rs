//! What a manifest needs from outside: images, and objects that it names but does not define.

use crate::kube::{Desired, Kind};
use k8s_openapi::api::core::v1::{Container, EnvFromSource, EnvVar, PodSpec, Volume};
use std::collections::BTreeSet;

/// One sentence part each, images first: "the image busybox:1.36", "the ConfigMap app-config".
pub fn needs(desired: &Desired) -> Vec<String> {
    let mut named = Named::default();
    for object in &desired.objects {
        if let Some(spec) = pod_spec(&object.kind) {
            named.pod(spec);
        }
        if let Kind::StatefulSet(set) = &object.kind
            && let Some(name) = set.spec.as_ref().and_then(|spec| spec.service_name.as_deref())
        {
            named.object("Service", name);
        }
    }
    for object in &desired.objects {
        if let Some(defined) = defined(&object.kind) {
            named.objects.remove(&defined);
        }
    }
    let images = named.images.into_iter().map(|image| format!("the image {image}"));
    let objects = named.objects.into_iter().map(|(kind, name)| format!("the {kind} {name}"));
    images.chain(objects).collect()
}

#[derive(Default)]
struct Named<'a> {
    images: BTreeSet<&'a str>,
    /// (kind, name)
    objects: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Named<'a> {
    fn object(&mut self, kind: &'static str, name: &'a str) {
        if !name.is_empty() {
            self.objects.insert((kind, name));
        }
    }

    fn pod(&mut self, spec: &'a PodSpec) {
        for container in spec.init_containers.iter().flatten().chain(&spec.containers) {
            self.container(container);
        }
        for volume in spec.volumes.iter().flatten() {
            self.volume(volume);
        }
        for secret in spec.image_pull_secrets.iter().flatten() {
            self.object("Secret", &secret.name);
        }
        if let Some(name) = spec.service_account_name.as_deref().filter(|n| *n != "default") {
            self.object("ServiceAccount", name);
        }
        if let Some(name) = spec.runtime_class_name.as_deref() {
            self.object("RuntimeClass", name);
        }
    }

    fn container(&mut self, container: &'a Container) {
        self.images.extend(container.image.as_deref());
        for env in container.env.iter().flatten() {
            self.env(env);
        }
        for EnvFromSource { config_map_ref, secret_ref, .. } in container.env_from.iter().flatten()
        {
            if let Some(source) = config_map_ref.as_ref().filter(|s| s.optional != Some(true)) {
                self.object("ConfigMap", &source.name);
            }
            if let Some(source) = secret_ref.as_ref().filter(|s| s.optional != Some(true)) {
                self.object("Secret", &source.name);
            }
        }
    }

    fn env(&mut self, env: &'a EnvVar) {
        let Some(from) = &env.value_from else { return };
        if let Some(key) = from.config_map_key_ref.as_ref().filter(|k| k.optional != Some(true)) {
            self.object("ConfigMap", &key.name);
        }
        if let Some(key) = from.secret_key_ref.as_ref().filter(|k| k.optional != Some(true)) {
            self.object("Secret", &key.name);
        }
    }

    fn volume(&mut self, volume: &'a Volume) {
        if let Some(map) = volume.config_map.as_ref().filter(|m| m.optional != Some(true)) {
            self.object("ConfigMap", &map.name);
        }
        if let Some(secret) = volume.secret.as_ref().filter(|s| s.optional != Some(true)) {
            self.object("Secret", secret.secret_name.as_deref().unwrap_or(""));
        }
        if let Some(claim) = &volume.persistent_volume_claim {
            self.object("PersistentVolumeClaim", &claim.claim_name);
        }
        let projected = volume.projected.as_ref().and_then(|p| p.sources.as_ref());
        for source in projected.into_iter().flatten() {
            if let Some(map) = source.config_map.as_ref().filter(|m| m.optional != Some(true)) {
                self.object("ConfigMap", &map.name);
            }
            if let Some(secret) = source.secret.as_ref().filter(|s| s.optional != Some(true)) {
                self.object("Secret", &secret.name);
            }
        }
    }
}

/// The pod that an object is or makes.
pub(super) fn pod_spec(kind: &Kind) -> Option<&PodSpec> {
    match kind {
        Kind::Pod(pod) => pod.spec.as_ref(),
        Kind::Deployment(o) => o.spec.as_ref()?.template.spec.as_ref(),
        Kind::ReplicaSet(o) => o.spec.as_ref()?.template.as_ref()?.spec.as_ref(),
        Kind::StatefulSet(o) => o.spec.as_ref()?.template.spec.as_ref(),
        Kind::DaemonSet(o) => o.spec.as_ref()?.template.spec.as_ref(),
        Kind::Job(o) => o.spec.as_ref()?.template.spec.as_ref(),
        Kind::CronJob(o) => o.spec.job_template.spec.as_ref()?.template.spec.as_ref(),
        _ => None,
    }
}

/// Objects others name, as this manifest defines them.
fn defined(kind: &Kind) -> Option<(&str, &str)> {
    let (kind, name) = match kind {
        Kind::Service(o) => ("Service", o.metadata.name.as_deref()),
        Kind::ConfigMap(o) => ("ConfigMap", o.metadata.name.as_deref()),
        Kind::Secret(o) => ("Secret", o.metadata.name.as_deref()),
        Kind::Other { kind, name, .. } => (kind.as_str(), Some(name.as_str())),
        _ => return None,
    };
    Some((kind, name?))
}
