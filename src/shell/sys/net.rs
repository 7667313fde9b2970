//! System calls on the network.

use super::Sys;
use crate::shell::Errno;
use crate::shell::kernel::Fd;
use crate::shell::kernel::fd::Opened;
use crate::shell::kernel::io::Step;
use crate::shell::kernel::net::{ANY, NetError, Route, SILENCE};
use crate::time::SimTime;
use std::net::Ipv4Addr;

/// A round trip on the loopback or between pods of a node, in microseconds.
const CONNECT_MICROS: u64 = 60;
/// What asking the cluster's name server costs.
const LOOKUP_MICROS: u64 = 800;

impl Sys {
    /// Addresses of a name; none when it is unknown.
    pub async fn resolve(&self, name: &str) -> Vec<Ipv4Addr> {
        if name.parse::<Ipv4Addr>().is_err() {
            let lost = self.lost_lookup(name);
            self.sleep(lost.unwrap_or(SimTime(LOOKUP_MICROS))).await;
            if lost.is_some() {
                return Vec::new();
            }
        }
        self.k().resolve(self.id, name)
    }

    /// How long asking for a name is in vain, where questions to the name server get lost.
    pub fn lost_lookup(&self, name: &str) -> Option<SimTime> {
        self.k().lost_lookup(self.id, name)
    }

    /// Tells the machine that somebody asked for a name in vain, from `since` on.
    pub fn unknown_name(&self, host: &str, port: u16, since: SimTime) {
        let mut kernel = self.k();
        let link = kernel.attempt(self.id, &format!("{host}:{port}"), (ANY, port), since);
        kernel.connect_failed(link, "bad address");
    }

    /// Connects to `host:port`. `deadline` bounds the wait (`TimedOut`).
    pub async fn connect(
        &self,
        host: &str,
        port: u16,
        deadline: Option<SimTime>,
    ) -> Result<Fd, NetError> {
        let (label, since) = (format!("{host}:{port}"), self.now());
        let addrs = self.resolve(host).await;
        let Some(addr) = addrs.first().copied() else {
            self.unknown_name(host, port, since);
            return Err(NetError::BadAddress);
        };
        self.connect_addr(&label, addr, port, deadline).await.map_err(NetError::Errno)
    }

    /// Connects to an address; `label` is what the request is shown to have asked for.
    pub async fn connect_addr(
        &self,
        label: &str,
        addr: Ipv4Addr,
        port: u16,
        deadline: Option<SimTime>,
    ) -> Result<Fd, Errno> {
        self.enter().await;
        let (link, own, route) = {
            let mut kernel = self.k();
            let now = kernel.now;
            let link = kernel.attempt(self.id, label, (addr, port), now);
            let ns = kernel.procs.get(&self.id).ok_or(Errno::Srch)?.netns;
            (link, ns, kernel.route(ns, addr, port))
        };
        self.sleep(SimTime(CONNECT_MICROS)).await;
        let made = match route {
            Route::To(ns, addr, port) => {
                let late = self.k().delay(own, ns);
                let patience = deadline.map_or(SimTime::MAX, |at| at - self.now());
                self.sleep(late.min(patience)).await;
                match late > patience {
                    true => Err(Errno::TimedOut),
                    false => self.k().connect_now(self.id, (ns, addr, port), link),
                }
            }
            Route::Fail(errno, after) => self.fail_after(errno, after, deadline).await,
            Route::Stopped(dropped) => {
                self.k().dropped(self.id, label, *dropped);
                self.fail_after(Errno::TimedOut, SILENCE, deadline).await
            }
        };
        made.inspect_err(|errno| {
            let why = errno.text().to_ascii_lowercase();
            self.k().connect_failed(link, &why);
        })
    }

    async fn fail_after(
        &self,
        errno: Errno,
        after: SimTime,
        deadline: Option<SimTime>,
    ) -> Result<Fd, Errno> {
        let now = self.now();
        self.sleep(deadline.map_or(after, |d| after.min(d - now))).await;
        Err(errno)
    }

    /// Listens; `Ipv4Addr::UNSPECIFIED` is every address of the pod.
    pub fn listen(&self, addr: Ipv4Addr, port: u16) -> Result<Fd, Errno> {
        self.k().listen(self.id, addr, port)
    }

    /// Waits for a connection.
    pub async fn accept(&self, fd: Fd, deadline: Option<SimTime>) -> Result<Fd, Errno> {
        let accepted = self.wait_for(deadline, |kernel| match kernel.accept(self.id, fd)? {
            Step::Done(fd) => Ok(Some(fd)),
            Step::Block => Ok(None),
        });
        accepted.await
    }

    /// Ends the own direction of a connection; the other side reads the end.
    pub fn shut_write(&self, fd: Fd) -> Result<(), Errno> {
        self.k().shut_write(self.id, fd)
    }

    /// Own address and port of a socket.
    pub fn local_addr(&self, fd: Fd) -> Result<(Ipv4Addr, u16), Errno> {
        let file = self.k().file(self.id, fd)?;
        match &file.what {
            Opened::Stream(stream) => Ok(stream.local),
            Opened::Listener(listener) => Ok((listener.addr, listener.port)),
            _ => Err(Errno::NotSock),
        }
    }

    pub fn peer_addr(&self, fd: Fd) -> Result<(Ipv4Addr, u16), Errno> {
        let file = self.k().file(self.id, fd)?;
        match &file.what {
            Opened::Stream(stream) => Ok(stream.peer),
            _ => Err(Errno::NotConn),
        }
    }

    /// The pod's address.
    pub fn pod_ip(&self) -> Option<Ipv4Addr> {
        let kernel = self.k();
        let proc = kernel.procs.get(&self.id)?;
        kernel.net.namespaces.get(&proc.netns)?.ip
    }
}
