//! Where a probe or a hook of a container goes: host, port and path, with names resolved.

use crate::sim::model::{Container, PodId};
use crate::sim::world::World;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// Host, port and path of an httpGet.
pub(crate) fn target(
    world: &World,
    id: PodId,
    container: &Container,
    get: &core::HTTPGetAction,
) -> Option<(String, u16, String)> {
    let host = get.host.clone().unwrap_or_default();
    let (host, port) = endpoint(world, id, container, &host, &get.port)?;
    let path = get.path.clone().unwrap_or_else(|| "/".to_owned());
    let path = if path.starts_with('/') { path } else { format!("/{path}") };
    Some((host, port, path))
}

pub(crate) fn endpoint(
    world: &World,
    id: PodId,
    container: &Container,
    host: &str,
    port: &IntOrString,
) -> Option<(String, u16)> {
    let port = match port {
        IntOrString::Int(number) => u16::try_from(*number).ok()?,
        IntOrString::String(name) => {
            let ports = container.spec.ports.iter().flatten();
            let named = ports.filter(|p| p.name.as_deref() == Some(name));
            let number = named.map(|p| p.container_port).next();
            u16::try_from(number.or_else(|| name.parse().ok())?).ok()?
        }
    };
    let ip = world.pod(id, |pod| pod.ip.clone())?;
    Some((if host.is_empty() { ip } else { host.to_owned() }, port))
}
