//! The token of a pod's account, as each of its containers finds it. Its files are there; beyond
//! its head the token says that it is not simulated.

use super::volumes::file;
use crate::sim::model::{Pod, PodId};
use crate::sim::runtime::VolumeSpec;
use crate::sim::world::{State, World};

/// Where each container finds the token of its pod's account.
pub(crate) const TOKEN_DIR: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// A JSON Web Token by its head alone, and the frame of a certificate.
pub(crate) const TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6IiJ9.not-simulated.not-simulated";
const AUTHORITY: &str = "-----BEGIN CERTIFICATE-----\nnot simulated\n-----END CERTIFICATE-----\n";

// Models plugin/pkg/admission/serviceaccount/admission.go mountServiceAccountToken (v1.36).
pub(super) fn mount(world: &World, id: PodId) {
    let namespace = {
        let state = world.st();
        let Some(pod) = state.pods.get(&id).filter(|pod| is_wanted(&state, pod)) else { return };
        pod.namespace.clone()
    };
    let files = [("ca.crt", AUTHORITY), ("namespace", &namespace), ("token", TOKEN)];
    let files = files.map(|(name, text)| file(name, text.as_bytes(), 0o644)).into();
    let spec = VolumeSpec { projected: true, files, ..VolumeSpec::default() };
    let handle = world.rt().volume(&spec);
    world.pod(id, |pod| pod.kubelet.token = Some(handle));
}

/// The pod decides, else its account, else yes.
fn is_wanted(state: &State, pod: &Pod) -> bool {
    let spec = &pod.template.spec;
    let account = spec.service_account_name.as_deref().filter(|name| !name.is_empty());
    let key = (pod.namespace.clone(), account.unwrap_or("default").to_owned());
    let own = spec.automount_service_account_token;
    own.or(state.rules.accounts.get(&key).copied()).unwrap_or(true)
}
