//! `podlab sh`: runs a command in a simulated busybox container, or recorded cases of them.

use crate::shell::Signal;
use crate::shell::bytes::{to_bytes, to_text};
use crate::shell::kernel::{ContainerId, Credentials, Limits, NoticeKind};
use crate::shell::machine::{ContainerSpec, Image, Leaf, Machine, MountSpec, Thing, VolumeSpec};
use crate::time::SimTime;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, Read, Write};
use std::process::ExitCode;

const USAGE: &str = "usage: podlab sh [--root DIR] [--env K=V]... -- ARGV...
       podlab sh --jsonl < cases.jsonl
Runs ARGV in a busybox container whose files start as DIR's; its stdout, stderr and exit status
become ours. Nothing of DIR is changed.";

/// 2026-11-20 12:00:00 UTC: what `date` shows at the start.
const START_UNIX_SECS: i64 = 1_795_176_000;
/// 2024-01-15 10:30:00 UTC: the date of files given to a case.
const FILES_UNIX_MICROS: i64 = 1_705_314_600_000_000;
/// Virtual seconds after which a command that never ends is stopped.
const SECS_MAX: u64 = 3600;
/// Interpreter steps after which a command is stopped.
const STEPS_MAX: u64 = 20_000_000;
/// Native stack: deep recursion of a script is recursion here.
const STACK_BYTES: usize = 256 << 20;

pub(super) fn run(args: &[String]) -> ExitCode {
    let args = args.to_vec();
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    let done = thread.spawn(move || run_here(&args)).map(std::thread::JoinHandle::join);
    match done {
        Ok(Ok(code)) => code,
        _ => ExitCode::from(101),
    }
}

fn run_here(args: &[String]) -> ExitCode {
    let mut case = Case::default();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--jsonl" => return jsonl(),
            "--help" | "-h" => {
                say!("{USAGE}");
                return ExitCode::SUCCESS;
            }
            "--root" => match rest.next() {
                Some(dir) => load_root(dir, &mut case),
                None => return usage(),
            },
            "--env" => match rest.next().and_then(|pair| pair.split_once('=')) {
                Some((key, value)) => case.env.push((key.to_owned(), value.to_owned())),
                None => return usage(),
            },
            "--" => {
                case.argv = rest.cloned().collect();
                break;
            }
            _ => return usage(),
        }
    }
    if case.argv.is_empty() {
        return usage();
    }
    let mut stdin = Vec::new();
    let _ = std::io::stdin().read_to_end(&mut stdin);
    case.stdin = Some(stdin);
    let done = run_case(&case);
    let _ = std::io::stdout().write_all(&to_bytes(&done.stdout));
    let _ = std::io::stderr().write_all(&to_bytes(&done.stderr));
    for word in &done.remarks {
        eprintln!("podlab: {word}");
    }
    ExitCode::from(done.exit.map_or(137, |code| code as u8))
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

/// A command and everything around it.
#[derive(Default)]
struct Case {
    argv: Vec<String>,
    env: Vec<(String, String)>,
    cwd: String,
    credentials: Credentials,
    stdin: Option<Vec<u8>>,
    /// Path to what is there; directories end in a slash.
    things: BTreeMap<String, Thing>,
    read_only: Vec<String>,
    writable: Vec<String>,
    memory: BTreeMap<String, u64>,
    signals: Vec<(SimTime, Signal)>,
    kill_after: Option<SimTime>,
    check: Vec<String>,
}

/// What came of a case.
#[derive(Default)]
struct Outcome {
    stdout: String,
    stderr: String,
    exit: Option<i32>,
    killed_after: Option<f64>,
    lines: Vec<Value>,
    leaves: Map<String, Value>,
    /// Limits and things not simulated.
    remarks: Vec<String>,
    took: SimTime,
}

fn load_root(dir: &str, case: &mut Case) {
    fn walk(dir: &std::path::Path, at: &str, case: &mut Case) {
        let Ok(entries) = std::fs::read_dir(dir) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{at}/{name}");
            let Ok(meta) = entry.path().symlink_metadata() else { continue };
            if meta.is_symlink() {
                if let Ok(target) = std::fs::read_link(entry.path()) {
                    case.things.insert(path, Thing::link(&target.to_string_lossy()));
                }
            } else if meta.is_dir() {
                case.things.insert(format!("{path}/"), Thing::dir());
                walk(&entry.path(), &path, case);
            } else if let Ok(content) = std::fs::read(entry.path()) {
                let mode = mode_of(&meta);
                let thing = Thing::File { content, mode, uid: 0, gid: 0 };
                case.things.insert(path, thing);
            }
        }
    }
    walk(std::path::Path::new(dir), "", case);
}

#[cfg(unix)]
fn mode_of(meta: &std::fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    meta.permissions().mode() & 0o7777
}

#[cfg(not(unix))]
fn mode_of(_meta: &std::fs::Metadata) -> u32 {
    0o755
}

fn jsonl() -> ExitCode {
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        if line.trim().is_empty() {
            continue;
        }
        let answer = match serde_json::from_str::<Value>(&line) {
            Ok(value) => answer(&value),
            Err(error) => json!({ "error": error.to_string() }),
        };
        say!("{answer}");
    }
    ExitCode::SUCCESS
}

fn answer(value: &Value) -> Value {
    let case = case_of(value);
    let done = run_case(&case);
    let text = |text: &str| String::from_utf8_lossy(&to_bytes(text)).into_owned();
    let mut answer = json!({
        "id": value["id"],
        "stdout": text(&done.stdout),
        "stderr": text(&done.stderr),
        "exit": done.exit,
        "millis": done.took.as_millis(),
        "lines": done.lines,
    });
    if !case.check.is_empty() {
        answer["leaves"] = Value::Object(done.leaves);
    }
    if let Some(after) = done.killed_after {
        answer["killed_after"] = json!(after);
    }
    if !done.remarks.is_empty() {
        answer["remarks"] = json!(done.remarks);
    }
    answer
}

fn strings(value: &Value) -> Vec<String> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn pairs(value: &Value) -> Vec<(String, Value)> {
    let map = value.as_object();
    map.map(|map| map.iter().map(|(k, v)| (k.clone(), v.clone())).collect()).unwrap_or_default()
}

fn case_of(value: &Value) -> Case {
    let number = |key: &str| value[key].as_u64().unwrap_or(0) as u32;
    let seconds = |value: &Value| SimTime((value.as_f64().unwrap_or(0.0) * 1e6) as u64);
    let groups = value["groups"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut case = Case {
        argv: strings(&value["argv"]),
        cwd: value["cwd"].as_str().unwrap_or("/").to_owned(),
        credentials: Credentials {
            uid: number("uid"),
            gid: number("gid"),
            groups: groups.iter().filter_map(|g| g.as_u64().map(|g| g as u32)).collect(),
        },
        stdin: value["stdin"].as_str().map(|text| text.as_bytes().to_vec()),
        things: things_of(value),
        read_only: strings(&value["read_only"]),
        writable: strings(&value["writable"]),
        kill_after: value["kill_after"].as_f64().map(|_| seconds(&value["kill_after"])),
        check: strings(&value["check"]),
        ..Case::default()
    };
    for (key, item) in pairs(&value["env"]) {
        case.env.push((key, item.as_str().unwrap_or("").to_owned()));
    }
    for (path, size) in pairs(&value["memory"]) {
        case.memory.insert(path, bytes_of(&size));
    }
    for item in value["signal"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let signal = item[1].as_str().and_then(Signal::parse);
        case.signals.extend(signal.map(|signal| (seconds(&item[0]), signal)));
    }
    case
}

/// A number, or `64k`, `1M`, `1Mi`.
fn bytes_of(value: &Value) -> u64 {
    if let Some(n) = value.as_u64() {
        return n;
    }
    let text = value.as_str().unwrap_or("");
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..end].parse().unwrap_or(0);
    match text[end..].chars().next().map(|c| c.to_ascii_lowercase()) {
        Some('k') => number << 10,
        Some('m') => number << 20,
        Some('g') => number << 30,
        _ => number,
    }
}

fn things_of(value: &Value) -> BTreeMap<String, Thing> {
    let as_user = value["uid"].as_u64().is_some_and(|uid| uid != 0);
    let modes = &value["modes"];
    let owners = &value["owners"];
    let mut things = BTreeMap::new();
    for (path, content) in pairs(&value["files"]) {
        let bare = path.trim_end_matches('/');
        let pick = |map: &Value| map[&path].as_str().or(map[bare].as_str()).map(str::to_owned);
        let mode = pick(modes).and_then(|mode| u32::from_str_radix(&mode, 8).ok());
        let owner = pick(owners).unwrap_or_default();
        let (uid, gid) = owner.split_once(':').unwrap_or(("0", "0"));
        let (uid, gid) = (uid.parse().unwrap_or(0), gid.parse().unwrap_or(0));
        let thing = if path.ends_with('/') {
            let usual = if as_user { 0o777 } else { 0o755 };
            Thing::Dir { mode: mode.unwrap_or(usual), uid, gid }
        } else {
            let content = to_bytes(&to_text(content.as_str().unwrap_or("").as_bytes()));
            Thing::File { content, mode: mode.unwrap_or(0o644), uid, gid }
        };
        things.insert(path, thing);
    }
    things
}

/// Volumes for what is mounted apart from the root.
fn volumes(machine: &mut Machine, case: &Case) -> Vec<MountSpec> {
    let mut mounts = Vec::new();
    let wanted = case
        .read_only
        .iter()
        .filter(|at| *at != "/")
        .map(|at| (at, true, None))
        .chain(case.writable.iter().map(|at| (at, false, None)))
        .chain(case.memory.iter().map(|(at, size)| (at, false, Some(*size))));
    for (at, read_only, size) in wanted {
        let at = at.trim_end_matches('/');
        let things = case.things.iter().filter_map(|(path, thing)| {
            let rest = path.strip_prefix(at).filter(|rest| rest.starts_with('/'))?;
            Some((rest.to_owned(), thing.clone()))
        });
        let (mode, uid, gid) = match case.things.get(&format!("{at}/")) {
            Some(Thing::Dir { mode, uid, gid }) => (*mode, *uid, *gid),
            _ => (if size.is_some() { 0o777 } else { 0o755 }, 0, 0),
        };
        let volume = machine.new_volume(&VolumeSpec {
            label: format!("volume:{at}"),
            size_limit: size,
            memory: size.is_some(),
            mode,
            uid,
            gid,
            things: things.filter(|(rest, _)| rest != "/").collect(),
            time: Some(FILES_UNIX_MICROS),
        });
        mounts.push(MountSpec { at: at.to_owned(), volume, sub_path: String::new(), read_only });
    }
    mounts
}

/// Builds the container of a case.
fn container(machine: &mut Machine, case: &Case) -> ContainerId {
    let address = "10.244.0.5".parse().ok();
    let network = machine.new_network(address, Vec::new());
    let pids = machine.new_pid_namespace(false);
    let mut image = Image::busybox();
    // The recordings' root knows two users, unlike the published image.
    let files = [
        ("/etc/hosts", HOSTS),
        ("/etc/resolv.conf", RESOLV),
        (
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
        ),
        ("/etc/group", "root:x:0:\n"),
    ];
    for (path, content) in files {
        image.add(path, Thing::file(content));
    }
    image.add("/etc/hostname", Thing::file("web-0\n"));
    let mounts = volumes(machine, case);
    let below_volumes: Vec<String> = mounts.iter().map(|m| format!("{}/", m.at)).collect();
    for (path, thing) in &case.things {
        if !below_volumes.iter().any(|at| path.starts_with(at)) {
            image.add(path, thing.clone());
        }
    }
    let mut env = vec![
        (
            "PATH".to_owned(),
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
        ),
        ("HOME".to_owned(), "/root".to_owned()),
        ("HOSTNAME".to_owned(), "web-0".to_owned()),
    ];
    for (key, value) in &case.env {
        env.retain(|(known, _)| known != key);
        env.push((key.clone(), value.clone()));
    }
    machine.create(&ContainerSpec {
        env,
        cwd: case.cwd.clone(),
        credentials: case.credentials.clone(),
        mounts,
        read_only_root: case.read_only.iter().any(|at| at == "/"),
        image_time: Some(FILES_UNIX_MICROS),
        hostname: "web-0".to_owned(),
        ..ContainerSpec::plain("case", image, case.argv.clone(), (network, pids))
    })
}

const HOSTS: &str = "# Kubernetes-managed hosts file.\n\
    127.0.0.1\tlocalhost\n\
    ::1\tlocalhost ip6-localhost ip6-loopback\n\
    fe00::0\tip6-localnet\n\
    fe00::0\tip6-mcastprefix\n\
    fe00::1\tip6-allnodes\n\
    fe00::2\tip6-allrouters\n\
    10.244.0.5\tweb-0\n";

const RESOLV: &str = "search default.svc.cluster.local svc.cluster.local cluster.local\n\
    nameserver 10.96.0.10\n\
    options ndots:5\n";

fn run_case(case: &Case) -> Outcome {
    let mut machine = Machine::new(1, START_UNIX_SECS, Limits::default());
    let id = container(&mut machine, case);
    if let Some(stdin) = &case.stdin {
        machine.set_stdin(id, stdin);
    }
    let mut done = Outcome::default();
    if let Err(error) = machine.start(id) {
        done.stderr = format!("{}\n", error.message);
        done.exit = Some(128);
        return done;
    }
    let end = case.kill_after.unwrap_or(SimTime::from_secs(SECS_MAX));
    let mut budget = STEPS_MAX;
    let mut signals = case.signals.iter().peekable();
    let mut now = SimTime::ZERO;
    while machine.is_running(id) && now < end && budget > 0 {
        let until = signals.peek().map_or(end, |(at, _)| (*at).min(end));
        now = machine.run_until(until, &mut budget);
        take(&mut machine, &mut done);
        if machine.next_wake().is_none() && signals.peek().is_none() {
            break;
        }
        while let Some((_, signal)) = signals.next_if(|(at, _)| *at <= now) {
            machine.signal(id, *signal);
        }
    }
    if machine.is_running(id) {
        done.killed_after = Some(now.as_secs_f64());
        if budget == 0 {
            done.remarks.push(format!("stopped after {STEPS_MAX} steps"));
        }
        machine.kill(id);
    }
    let killed = done.killed_after.is_some();
    take(&mut machine, &mut done);
    if killed {
        done.exit = None;
    }
    for path in &case.check {
        done.leaves.insert(path.clone(), leaf(&machine, id, path));
    }
    done
}

fn leaf(machine: &Machine, id: ContainerId, path: &str) -> Value {
    match machine.peek(id, path) {
        None | Some(Leaf::Other) => Value::Null,
        Some(Leaf::File(data)) => json!(String::from_utf8_lossy(&data)),
        Some(Leaf::Dir(names)) => json!(format!("dir: {}", names.join(" "))),
        Some(Leaf::Link(target)) => json!(format!("-> {target}")),
    }
}

/// Takes in what happened.
fn take(machine: &mut Machine, done: &mut Outcome) {
    for notice in machine.drain() {
        match notice.kind {
            NoticeKind::LogLine { stderr, line, cut } => {
                let (into, mark) = match stderr {
                    true => (&mut done.stderr, Some("stderr")),
                    false => (&mut done.stdout, None),
                };
                into.push_str(&line);
                if !cut {
                    into.push('\n');
                }
                let mut row = vec![json!(notice.at.as_secs()), json!(line)];
                row.extend(mark.map(|mark| json!(mark)));
                done.lines.push(Value::Array(row));
            }
            NoticeKind::Exited { code, .. } => {
                done.exit = Some(code);
                done.took = notice.at;
            }
            NoticeKind::NotSimulated { what, .. } => {
                done.remarks.push(format!("not simulated: {what}"));
            }
            NoticeKind::Limit { sentence } => done.remarks.push(sentence),
            _ => {}
        }
    }
}
