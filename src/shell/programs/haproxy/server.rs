//! Which server of a backend takes the next connection.

use super::model::{Balance, Proxy, Server};
use std::net::Ipv4Addr;

/// The next server, beside those tried already.
pub(super) fn pick(proxy: &Proxy, client: Ipv4Addr, tried: &[usize], random: u64) -> Option<usize> {
    let fit = |backup: bool| -> Vec<usize> {
        let servers = proxy.servers.iter().enumerate();
        let own =
            servers.filter(|(idx, s)| s.backup == backup && s.usable() && !tried.contains(idx));
        own.map(|(idx, _)| idx).collect()
    };
    let mut servers = fit(false);
    if servers.is_empty() && proxy.n_up().0 == 0 {
        servers = fit(true);
        // Backups take over one after the other unless all are wanted.
        if !proxy.has("allbackups") {
            servers.truncate(1);
        }
    }
    let at = |idx: &usize| proxy.servers.get(*idx);
    match proxy.balance {
        Balance::Source => {
            let total: i64 = servers.iter().filter_map(at).map(|s| s.weight).sum();
            let mut place = i64::from(u32::from(client)) % total.max(1);
            servers.iter().copied().find(|idx| {
                place -= at(idx).map_or(0, |s| s.weight);
                place < 0
            })
        }
        Balance::Random => servers.get(random as usize % servers.len().max(1)).copied(),
        Balance::First => {
            let has_room = |idx: &&usize| {
                at(idx).is_some_and(|s| s.maxconn == 0 || s.state.borrow().open < s.maxconn)
            };
            servers.iter().find(has_room).or(servers.last()).copied()
        }
        Balance::LeastConn => {
            let load = |s: &Server| {
                let state = s.state.borrow();
                (i64::from(state.open) * 256 / s.weight.max(1), state.total)
            };
            servers.into_iter().min_by_key(|idx| at(idx).map(load))
        }
        Balance::RoundRobin => in_turn(proxy, &servers),
    }
}

fn in_turn(proxy: &Proxy, servers: &[usize]) -> Option<usize> {
    let at = |idx: usize| proxy.servers.get(idx);
    let total: i64 = servers.iter().filter_map(|idx| at(*idx)).map(|s| s.weight).sum();
    let mut best: Option<(usize, i64)> = None;
    for idx in servers {
        let Some(server) = at(*idx) else { continue };
        let mut state = server.state.borrow_mut();
        state.current += server.weight;
        if best.is_none_or(|(_, current)| state.current > current) {
            best = Some((*idx, state.current));
        }
    }
    let (idx, _) = best?;
    at(idx)?.state.borrow_mut().current -= total;
    Some(idx)
}
