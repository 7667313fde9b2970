//! Connections from outside all containers: what the kubelet's probes and hooks use.

use super::{Image, Machine};
use crate::shell::kernel::container::Pace;
use crate::shell::kernel::fd::FdTable;
use crate::shell::kernel::inode::Node;
use crate::shell::kernel::notice::ClientResult;
use crate::shell::kernel::process::Proc;
use crate::shell::kernel::{ClientId, Container, ContainerId, Credentials, Mount, NoticeKind};
use crate::shell::{Errno, Fd, Pid, Sys};
use crate::time::SimTime;
use std::net::Ipv4Addr;
use std::rc::Rc;

/// What a client outside asks for.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Only whether a connection comes about.
    Connect,
    /// `GET path` with these headers besides `Host`.
    Get { host: String, path: String, headers: Vec<(String, String)> },
}

/// Longest answer a probe reads, in bytes.
const ANSWER_MAX: usize = 10 << 10;

impl Machine {
    /// Asks `addr:port` from outside; the answer is a `ClientDone` notice, at the latest after
    /// `timeout`.
    pub fn ask(&mut self, addr: Ipv4Addr, port: u16, ask: Ask, timeout: SimTime) -> ClientId {
        let outside = self.outside_container();
        let (client, proc_id) = {
            let mut kernel = self.kernel.borrow_mut();
            let client = ClientId(kernel.fresh_id());
            let proc_id = kernel.fresh_proc();
            if let Some(container) = kernel.containers.get(&outside) {
                let pid: Pid = proc_id.0;
                let mut proc = Proc::first(proc_id, pid, outside, container);
                proc.outside = true;
                proc.started = kernel.now;
                proc.busy_until = kernel.now;
                kernel.procs.insert(proc_id, proc);
            }
            kernel.wake(proc_id);
            (client, proc_id)
        };
        let sys = self.sys(proc_id);
        let task = async move {
            let deadline = sys.now() + timeout;
            let result = run(&sys, (addr, port), &ask, deadline).await;
            let kernel = sys.kernel();
            kernel.borrow_mut().notice(None, NoticeKind::ClientDone { client, result });
            0
        };
        self.kernel.borrow_mut().new_tasks.push((proc_id, Box::pin(task)));
        self.adopt();
        client
    }

    /// The container that stands for the node itself.
    fn outside_container(&mut self) -> ContainerId {
        if let Some(id) = self.outside {
            return id;
        }
        let (pids, network) = (self.new_pid_namespace(true), self.new_network(None, Vec::new()));
        let mut kernel = self.kernel.borrow_mut();
        let id = ContainerId(kernel.fresh_id());
        let fs = kernel.new_fs("node".to_owned(), "ext4", false);
        let root: Node = fs.make_dir(0o755, (0, 0), 0);
        Image::default().copy_to(&mut kernel, &root, None);
        let at = "/".to_owned();
        let container = Container {
            name: "node".to_owned(),
            pidns: pids,
            netns: network,
            mounts: vec![Rc::new(Mount { at, root, read_only: false, prefix: String::new() })],
            cred: Rc::new(Credentials::default()),
            env: Rc::default(),
            cwd: Rc::from("/"),
            hostname: "node".to_owned(),
            umask: 0o022,
            cpu_millis: None,
            memory_limit: None,
            init: None,
            ended: false,
            pace: Pace::new(None, u64::MAX),
            partial: Default::default(),
            stdio: FdTable::default(),
            argv: Vec::new(),
            oom: false,
            memory_peak: 0,
            cpu_used: SimTime::ZERO,
            no_chown: false,
            told_processes: false,
        };
        kernel.containers.insert(id, container);
        self.outside = Some(id);
        id
    }
}

fn failed(error: impl Into<String>) -> ClientResult {
    ClientResult::Failed { error: error.into() }
}

/// Go's words for what the C library calls otherwise.
fn go_words(errno: Errno) -> String {
    match errno {
        Errno::TimedOut => "i/o timeout".to_owned(),
        Errno::ConnReset => "read: connection reset by peer".to_owned(),
        other => format!("connect: {}", other.text().to_ascii_lowercase()),
    }
}

async fn run(sys: &Sys, to: (Ipv4Addr, u16), ask: &Ask, deadline: SimTime) -> ClientResult {
    let label = format!("{}:{}", to.0, to.1);
    let fd = match sys.connect_addr(&label, to.0, to.1, Some(deadline)).await {
        Ok(fd) => fd,
        Err(errno) => return failed(go_words(errno)),
    };
    let Ask::Get { host, path, headers } = ask else { return ClientResult::Connected };
    let mut request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("Connection: close\r\n\r\n");
    if sys.write(fd, request.as_bytes()).await.is_err() {
        return failed("write: broken pipe");
    }
    match read_answer(sys, fd, deadline).await {
        Ok(data) => answer(&data),
        Err(Errno::TimedOut) => {
            failed("context deadline exceeded (Client.Timeout exceeded while awaiting headers)")
        }
        Err(errno) => failed(go_words(errno)),
    }
}

/// Reads until the end, or until the announced length is there.
async fn read_answer(sys: &Sys, fd: Fd, deadline: SimTime) -> Result<Vec<u8>, Errno> {
    let mut data = Vec::new();
    while data.len() < ANSWER_MAX && !is_whole(&data) {
        let more = sys.read_until(fd, ANSWER_MAX, Some(deadline)).await?;
        if more.is_empty() {
            break;
        }
        data.extend_from_slice(&more);
    }
    Ok(data)
}

/// Header text and body of an answer whose header has ended.
fn parts(data: &[u8]) -> Option<(String, &[u8])> {
    let text = String::from_utf8_lossy(data);
    let (end, skip) = match (text.find("\r\n\r\n"), text.find("\n\n")) {
        (Some(at), _) => (at, 4),
        (None, Some(at)) => (at, 2),
        _ => return None,
    };
    Some((text[..end].to_owned(), data.get(end + skip..).unwrap_or(&[])))
}

fn header<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let mut named = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
    named.next().map(|(_, value)| value.trim())
}

fn is_whole(data: &[u8]) -> bool {
    let Some((head, body)) = parts(data) else { return false };
    let length = header(&head, "content-length").and_then(|n| n.parse::<usize>().ok());
    length.is_some_and(|length| body.len() >= length)
}

fn answer(data: &[u8]) -> ClientResult {
    if data.is_empty() {
        return failed("EOF");
    }
    let Some((head, body)) = parts(data) else { return malformed(data) };
    let first = head.lines().next().unwrap_or("");
    let status = first.strip_prefix("HTTP/").and_then(|rest| rest.split(' ').nth(1));
    match status.and_then(|s| s.parse().ok()) {
        Some(status) => ClientResult::Http {
            status,
            body: String::from_utf8_lossy(body).into_owned(),
            location: header(&head, "location").map(str::to_owned),
        },
        None => malformed(data),
    }
}

fn malformed(data: &[u8]) -> ClientResult {
    let line = data.split(|b| *b == b'\n').next().unwrap_or(&[]);
    let line = String::from_utf8_lossy(line).trim_end().to_owned();
    failed(format!(
        "net/http: HTTP/1.x transport connection broken: malformed HTTP response {line:?}"
    ))
}
