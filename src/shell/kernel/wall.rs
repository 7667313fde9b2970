//! Walls around pods: which connections may begin. Data and one question about it; who builds
//! which wall and why is the cluster's business.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Where the cluster's name server answers: behind its Service's address.
pub const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(10, 244, 0, 2);
const DNS_PORT: u16 = 53;

/// What may come and go at one address; None where all may.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wall {
    pub ingress: Option<Side>,
    pub egress: Option<Side>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Side {
    /// Who built it.
    pub by: Vec<String>,
    /// One that fits is enough; none lets nothing pass.
    pub passes: Vec<Pass>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pass {
    /// None is everybody.
    pub peers: Option<Vec<Peer>>,
    /// None is every port.
    pub ports: Option<Vec<Ports>>,
}

/// Addresses whose first `bits` are those of `net`, but for some blocks of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Peer {
    pub net: (Ipv4Addr, u8),
    pub except: Vec<(Ipv4Addr, u8)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ports {
    pub udp: bool,
    pub from: u16,
    pub to: u16,
}

/// A connection that a wall stopped.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropped {
    /// As asked for: `web:80`.
    pub to: String,
    pub addr: Ipv4Addr,
    pub port: u16,
    pub udp: bool,
    /// The address whose wall it was, and which side of it.
    pub wall: Ipv4Addr,
    pub ingress: bool,
    pub by: Vec<String>,
}

fn is_in(addr: Ipv4Addr, (net, bits): (Ipv4Addr, u8)) -> bool {
    let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
    u32::from(addr) & mask == u32::from(net) & mask
}

impl Side {
    fn lets(&self, other: Ipv4Addr, port: u16, udp: bool) -> bool {
        self.passes.iter().any(|pass| {
            let known = |peer: &Peer| {
                is_in(other, peer.net) && !peer.except.iter().any(|block| is_in(other, *block))
            };
            let fits = |p: &Ports| p.udp == udp && (p.from..=p.to).contains(&port);
            pass.peers.as_ref().is_none_or(|peers| peers.iter().any(known))
                && pass.ports.as_ref().is_none_or(|ports| ports.iter().any(fits))
        })
    }
}

/// The wall that stops packets on their way, the sender's own first.
pub fn stopping(
    walls: &BTreeMap<Ipv4Addr, Wall>,
    from: Ipv4Addr,
    (to, port): (Ipv4Addr, u16),
    udp: bool,
) -> Option<Dropped> {
    let out = walls.get(&from).and_then(|wall| wall.egress.as_ref());
    let into = walls.get(&to).and_then(|wall| wall.ingress.as_ref());
    let out = out.filter(|side| !side.lets(to, port, udp)).map(|side| (from, false, side));
    let into = || into.filter(|side| !side.lets(from, port, udp)).map(|side| (to, true, side));
    let (wall, ingress, side) = out.or_else(into)?;
    let by = side.by.clone();
    Some(Dropped { to: String::new(), addr: to, port, udp, wall, ingress, by })
}

/// As `stopping`, of questions to the name server.
pub fn stopping_names(walls: &BTreeMap<Ipv4Addr, Wall>, from: Ipv4Addr) -> Option<Dropped> {
    stopping(walls, from, (NAME_SERVER, DNS_PORT), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_ports_decide() {
        let [a, b] = [Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2)];
        let net = (Ipv4Addr::new(10, 0, 0, 0), 24);
        let pass = |except: Vec<(Ipv4Addr, u8)>| Pass {
            peers: Some(vec![Peer { net, except }]),
            ports: Some(vec![Ports { udp: false, from: 80, to: 90 }]),
        };
        let side = |passes| Some(Side { by: vec!["p".to_owned()], passes });
        let wall = |ingress, egress| Wall { ingress, egress };
        let walls = |w: Wall, at: Ipv4Addr| BTreeMap::from([(at, w)]);
        let told = |walls: &BTreeMap<Ipv4Addr, Wall>, port, udp| {
            stopping(walls, a, (b, port), udp).map(|d| (d.wall, d.ingress))
        };
        let open = walls(wall(side(vec![pass(vec![])]), None), b);
        assert_eq!(told(&open, 80, false), None);
        assert_eq!(told(&open, 91, false), Some((b, true)));
        assert_eq!(told(&open, 80, true), Some((b, true)));
        let but = walls(wall(side(vec![pass(vec![(a, 32)])]), None), b);
        assert_eq!(told(&but, 80, false), Some((b, true)));
        let shut = walls(wall(None, side(vec![])), a);
        assert_eq!(told(&shut, 80, false), Some((a, false)));
        assert!(stopping_names(&shut, a).is_some() && stopping_names(&shut, b).is_none());
        assert!(is_in(a, (b, 0)) && !is_in(a, (b, 32)));
    }
}
