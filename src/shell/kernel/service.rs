//! Where connections to a Service's address go.

use super::Kernel;
use super::net::{ANY, SILENCE};
use crate::time::SimTime;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// By address and port.
pub type Services = BTreeMap<(Ipv4Addr, u16), Backends>;

/// Where a service leads; nowhere refuses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Backends {
    pub to: Vec<(Ipv4Addr, u16)>,
    /// For so long a client comes back to the same one.
    pub affinity: Option<SimTime>,
    /// Only backends on the client's own node; without any there packets are lost.
    pub local: bool,
}

impl Kernel {
    /// Where a service sends a client; else how long its packets are lost, zero for a refusal.
    // Models pkg/proxy/iptables/proxier.go (v1.36): one at random, or the client's last one.
    pub(super) fn backend(
        &mut self,
        at: (Ipv4Addr, u16),
        from: Option<Ipv4Addr>,
    ) -> Result<(Ipv4Addr, u16), SimTime> {
        let Some(service) = self.net.services.get(&at) else { return Err(SimTime::ZERO) };
        let place = from.and_then(|from| self.net.places.get(&from));
        let near = |to: &&(Ipv4Addr, u16)| self.net.places.get(&to.0) == place;
        let open: Vec<(Ipv4Addr, u16)> =
            service.to.iter().filter(|to| !service.local || near(to)).copied().collect();
        if open.is_empty() {
            return Err(if service.to.is_empty() { SimTime::ZERO } else { SILENCE });
        }
        let key = (at, from.unwrap_or(ANY));
        let span = service.affinity;
        let known = self.net.stuck.get(&key).filter(|(to, since)| {
            open.contains(to) && span.is_some_and(|span| *since + span > self.now)
        });
        let known = known.map(|(to, _)| *to);
        let pick = match known {
            Some(to) => to,
            None => {
                let n = self.rng.below(open.len() as u64) as usize;
                open.get(n).copied().ok_or(SimTime::ZERO)?
            }
        };
        if span.is_some() {
            self.net.stuck.insert(key, (pick, self.now));
        }
        Ok(pick)
    }
}
