//! Redis, its client and socat talking to each other on a machine.

use super::PROGRAMS;
use crate::shell::Machine;
use crate::shell::kernel::{Limits, NoticeKind};
use crate::shell::machine::{ContainerSpec, Image, Thing};
use crate::time::SimTime;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

const REDIS: Ipv4Addr = Ipv4Addr::new(10, 244, 0, 9);

/// Starts each command at its second in its pod (`app` or `redis`); the lines printed and the
/// exits, each with the command's number, and the requests made.
fn run(commands: &[(u64, &str, &[&str])]) -> Vec<String> {
    let mut machine = Machine::new(1, 1_772_442_000, Limits::default());
    let domains = vec!["default.svc.cluster.local".to_owned()];
    let app = machine.new_network(Some(Ipv4Addr::new(10, 244, 0, 5)), domains.clone());
    let redis = machine.new_network(Some(REDIS), domains);
    let name = "redis.default.svc.cluster.local".to_owned();
    machine.set_names(BTreeMap::from([(name, vec![REDIS])]));
    let mut image = Image::busybox();
    for (name, program) in PROGRAMS {
        image.add(&format!("/usr/local/bin/{name}"), Thing::Program(*program));
    }
    let mut ids = Vec::new();
    let mut out = Vec::new();
    let mut budget = 1_000_000;
    for (at, pod, argv) in commands {
        machine.run_until(SimTime::from_secs(*at), &mut budget);
        let pids = machine.new_pid_namespace(false);
        let argv = argv.iter().map(|arg| (*arg).to_owned()).collect();
        let network = if *pod == "redis" { redis } else { app };
        let id = machine.create(&ContainerSpec {
            env: vec![("PATH".into(), "/usr/local/bin:/bin".into())],
            files: vec![("/etc/hosts".into(), Thing::file("127.0.0.1 localhost\n"))],
            ..ContainerSpec::plain(pod, image.clone(), argv, (network, pids))
        });
        ids.push(id);
        machine.start(id).expect("starts");
    }
    machine.run_until(SimTime::from_secs(60), &mut budget);
    for notice in machine.drain() {
        let number = ids.iter().position(|id| Some(*id) == notice.container).unwrap_or(99);
        out.extend(match notice.kind {
            NoticeKind::LogLine { line, .. } => Some(format!("{number}: {line}")),
            NoticeKind::Exited { code, .. } => Some(format!("{number} exits {code}")),
            NoticeKind::NotSimulated { what, .. } => {
                Some(format!("{number} not simulated: {what}"))
            }
            NoticeKind::Request(r) => {
                Some(format!("{number} asks {} {:?}: {} ({})", r.to, r.summary, r.outcome, r.ok))
            }
            _ => None,
        });
    }
    out
}

#[track_caller]
fn check(commands: &[(u64, &str, &[&str])], expected: &[&str]) {
    let out = run(commands);
    for line in expected {
        assert!(out.iter().any(|own| own.contains(line)), "no {line:?} in {out:#?}");
    }
}

const SERVER: (u64, &str, &[&str]) = (0, "redis", &["redis-server", "--save", ""]);
const FORK: (u64, &str, &[&str]) =
    (1, "app", &["socat", "TCP-LISTEN:6379,fork,reuseaddr", "TCP:redis:6379"]);
const INCR: &[&str] = &["redis-cli", "-h", "localhost", "INCR", "visits"];

#[test]
fn a_server_answers() {
    check(
        &[
            SERVER,
            (1, "redis", &["redis-cli", "SET", "a", "1"]),
            (2, "redis", &["redis-cli", "INCR", "a"]),
            (3, "redis", &["redis-cli", "GET", "none"]),
            (4, "redis", &["redis-cli", "LPUSH", "a", "x"]),
            (5, "redis", &["redis-cli", "-e", "GET"]),
            (6, "redis", &["redis-cli", "XADD", "s", "*", "a", "b"]),
            (7, "redis", &["redis-cli", "-p", "6380", "PING"]),
            (8, "redis", &["redis-cli", "-h", "nowhere", "PING"]),
            (9, "redis", &["redis-server", "--save", ""]),
        ],
        &[
            "0: 1:M 02 Mar 2026 09:00:00.000 * Ready to accept connections tcp",
            "1: OK",
            "2: 2",
            "3 exits 0",
            "4: WRONGTYPE Operation against a key",
            "4 exits 0",
            "5: ERR wrong number of arguments for 'get' command",
            "5 exits 1",
            "0 not simulated: redis-server: the command XADD",
            "7: Could not connect to Redis at 127.0.0.1:6380: Connection refused",
            "8: Could not connect to Redis at nowhere:6379: Name does not resolve",
            "9: 1:M 02 Mar 2026 09:00:09.000 # Failed listening on port 6379 (tcp), aborting.",
        ],
    );
}

#[test]
fn an_ambassador_forwards() {
    check(
        &[SERVER, FORK, (2, "app", INCR), (3, "app", INCR)],
        &[
            "2: 1",
            "3: 2",
            "1 asks redis:6379 \"INCR visits\": :2 (true)",
            "3 asks localhost:6379 \"INCR visits\": :2 (true)",
        ],
    );
    check(
        &[SERVER, (1, "app", &["socat", "tcp-listen:6379", "tcp:redis:6379"]), (2, "app", INCR)],
        &["2: 1", "1 exits 0"],
    );
}

#[test]
fn an_ambassador_that_cannot() {
    check(
        &[FORK, (2, "app", INCR)],
        &[
            "socat[2] E connect(5, AF=2 10.244.0.9:6379, 16): Connection refused",
            "1: Error: Server closed the connection",
            "1 exits 1",
            "1 asks localhost:6379 \"INCR visits\": closed without an answer (false)",
        ],
    );
    check(
        &[
            (1, "app", &["socat", "TCP-LISTEN:6379,fork", "TCP:redis-main:6379"]),
            (2, "app", INCR),
            (3, "app", &["socat", "OPENSSL-LISTEN:1", "-"]),
        ],
        &[
            "getaddrinfo(\"redis-main\", \"NULL\", {1,0,1,6}, {}): Name does not resolve",
            "1 exits 1",
            "2 not simulated: socat: the address OPENSSL-LISTEN:1",
        ],
    );
}
