//! A whole line of the console, or several: a shell on the person's own machine, where kubectl and
//! curl are programs. The shell is the one of the containers; what its programs ask of the cluster
//! is answered here, each at the instant the script has come to. Knows no command of kubectl.

use super::Said;
use super::run::{Desk, HOME, LOOKS_MAX, at_instant, is_verb};
use crate::shell::kernel::{ContainerId, Limits, NoticeKind, VolumeId};
use crate::shell::machine::{ContainerSpec, Image, Leaf, Machine, MountSpec, Thing, VolumeSpec};
use crate::shell::{OpenHow, Sys, applets};
use crate::sim::Scenario;
use crate::time::SimTime;
use std::collections::BTreeMap;
use std::pin::Pin;

/// How long a script may take, in simulated seconds.
const SECS_MAX: u64 = 600;
/// Interpreter steps of the person's own shell.
const STEPS_MAX: u64 = 5_000_000;
/// How often a script may ask the cluster.
const ASKS_MAX: usize = 60;
/// Files kept, and their size together in bytes.
const FILES_MAX: usize = 40;
const BYTES_MAX: usize = 200_000;

/// Words that begin a script besides the names of programs.
const BEGINNINGS: &str = "alias unalias export unset cd for while until if case { ( ! . eval type \
     command read exit vi vim nano";

/// Whether a line wants a shell: it joins commands, sends them somewhere or has variables.
pub(super) fn wants_shell(line: &str) -> bool {
    let (mut single, mut double, mut escaped) = (false, false, false);
    for ch in line.trim().chars() {
        match ch {
            _ if std::mem::take(&mut escaped) => {}
            '\\' if !single => escaped = true,
            '\'' if !double => single = !single,
            '"' if !single => double = !double,
            '$' | '`' if !single => return true,
            '|' | '&' | ';' | '<' | '>' | '\n' if !single && !double => return true,
            _ => {}
        }
    }
    let first = line.split_whitespace().next().unwrap_or("");
    let named = first.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    let known = || BEGINNINGS.split_whitespace().any(|word| word == first);
    !is_verb(first) && (named || known() || applets::lookup(first).is_some())
}

/// Runs a script from `at` on; what it does to the cluster is added to the scenario and said as
/// actions, what it writes is left in `desk`.
pub(super) fn play(scenario: &mut Scenario, at: SimTime, line: &str, desk: &mut Desk) -> Said {
    let is_verb = is_verb(line.split_whitespace().next().unwrap_or(""));
    let line = if is_verb { format!("kubectl {}", line.trim_start()) } else { line.to_owned() };
    let now_unix = scenario.started_unix_secs + at.as_secs() as i64;
    let mut shell = Shell::new(scenario.seed, now_unix, &line, &desk.files);
    let (mut n_asks, mut looks, mut budget) = (0, LOOKS_MAX, STEPS_MAX);
    // How much later it is in the cluster than in the shell, which commands that wait make it.
    let mut ahead = SimTime::ZERO;
    while let Some(next) = shell.machine.next_wake().filter(|_| !shell.over) {
        if next.as_secs() >= SECS_MAX || budget == 0 || n_asks > ASKS_MAX {
            shell.said.err.push_str("not simulated: a script as long as this; it was stopped\n");
            shell.said.exit = 130;
            break;
        }
        shell.machine.run_until(next, &mut budget);
        shell.take();
        for ask in shell.asks() {
            n_asks += 1;
            let late = ahead + SimTime::from_secs(shell.machine.now().as_secs());
            let asked = Desk { cwd: ask.cwd, files: shell.files(), fed: ask.fed };
            let (said, now) = at_instant(scenario, at + late, &ask.words, &asked, &mut looks);
            ahead = ahead + (now - (at + late));
            for (path, text) in &said.written {
                shell.machine.write_volume(
                    shell.home,
                    path.trim_start_matches(HOME),
                    text.as_bytes(),
                    0o644,
                );
            }
            shell.answer(&ask.name, &said);
            let actions = said.actions.into_iter().map(|action| match late {
                SimTime::ZERO => action,
                late => format!("after {} {action}", late.as_secs_f64()),
            });
            shell.said.actions.extend(actions);
        }
    }
    desk.files = shell.files();
    shell.said
}

/// A program's question.
struct Ask {
    /// The end of the names of its files.
    name: String,
    cwd: String,
    words: Vec<String>,
    fed: Option<String>,
}

struct Shell {
    machine: Machine,
    id: ContainerId,
    /// Where questions and answers lie.
    desk: VolumeId,
    /// The person's own directory.
    home: VolumeId,
    said: Said,
    over: bool,
}

/// Where questions and answers lie in the shell's own files.
const DESK: &str = "/run/cluster";
/// A line leaves its variables, aliases and directory for the next one.
const STATE: &str = ".state";

impl Shell {
    fn new(seed: u64, now_unix: i64, line: &str, files: &BTreeMap<String, String>) -> Shell {
        let mut machine = Machine::new(seed, now_unix, Limits::default());
        let mut image = Image::busybox();
        for name in ["kubectl", "k", "curl"] {
            image.add(&format!("/usr/bin/{name}"), Thing::Program(called));
        }
        for name in ["vi", "vim", "nano"] {
            image.add(&format!("/usr/bin/{name}"), Thing::Program(no_editor));
        }
        let things = files.iter().filter_map(|(path, text)| {
            Some((path.strip_prefix(HOME)?.to_owned(), Thing::file(text.as_str())))
        });
        let things = things.collect();
        let home = VolumeSpec { mode: 0o755, things, ..VolumeSpec::default() };
        let home = machine.new_volume(&home);
        let desk = machine.new_volume(&VolumeSpec { mode: 0o755, ..VolumeSpec::default() });
        let network = machine.new_network(None, Vec::new());
        let pids = machine.new_pid_namespace(false);
        let state = format!("{HOME}/{STATE}");
        let own = "EPOCH[A-Z]*|RANDOM|PATH|HOME|PWD|OLDPWD|IFS|OPTIND|PPID|PS[124]|HOSTNAME|SHLVL|LINENO|_|l";
        let script = format!(
            "[ ! -f {state} ] || . {state}; trap '{{ unset IFS; set | grep -vE \"^({own})=\"; alias | while \
             read -r l; do echo \"alias $l\"; done; echo \"cd $PWD\"; }} > {state}' EXIT\n{line}\n"
        );
        let env = [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("HOME", HOME)];
        let argv = ["sh", "-c", &script].map(str::to_owned).to_vec();
        let id = machine.create(&ContainerSpec {
            env: env.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec(),
            cwd: HOME.to_owned(),
            mounts: [(DESK, desk), (HOME, home)].map(mount).to_vec(),
            hostname: "podlab".to_owned(),
            ..ContainerSpec::plain("console", image, argv, (network, pids))
        });
        let over = machine.start(id).is_err();
        Shell { machine, id, desk, home, said: Said::default(), over }
    }

    /// Takes in what was printed.
    fn take(&mut self) {
        for notice in self.machine.drain() {
            match notice.kind {
                NoticeKind::LogLine { stderr, line, cut } => {
                    let said = &mut self.said;
                    let into = if stderr { &mut said.err } else { &mut said.out };
                    into.push_str(&line);
                    into.push_str(if cut { "" } else { "\n" });
                }
                NoticeKind::Exited { code, .. } => (self.said.exit, self.over) = (code, true),
                NoticeKind::NotSimulated { what, .. } => {
                    self.said.err.push_str(&format!("not simulated: {what}\n"));
                }
                NoticeKind::Limit { sentence } => self.said.err.push_str(&(sentence + "\n")),
                _ => {}
            }
        }
    }

    fn text(&self, path: &str) -> Option<String> {
        let bytes = self.machine.read_file(self.id, path)?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Questions not answered yet.
    fn asks(&mut self) -> Vec<Ask> {
        let Some(Leaf::Dir(names)) = self.machine.peek(self.id, DESK) else { return Vec::new() };
        let mut asks = Vec::new();
        for name in names.iter().filter_map(|name| name.strip_prefix("ask.")) {
            let Some(text) = self.text(&format!("{DESK}/ask.{name}")) else { continue };
            let mut words = text.split('\0').map(str::to_owned);
            let cwd = words.next().unwrap_or_default();
            let fed = self.text(&format!("{DESK}/fed.{name}"));
            asks.push(Ask { name: name.to_owned(), cwd, words: words.collect(), fed });
        }
        for ask in &asks {
            self.machine.take_from_volume(self.desk, &format!("ask.{}", ask.name));
        }
        asks
    }

    fn answer(&mut self, name: &str, said: &Said) {
        let code = said.exit.to_string();
        for (what, text) in [("out", &said.out), ("err", &said.err), ("code", &code)] {
            let path = format!("{what}.{name}");
            self.machine.write_volume(self.desk, &path, text.as_bytes(), 0o644);
        }
    }

    /// What lies in the person's own directory, by path.
    fn files(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut room = BYTES_MAX;
        let mut below = vec![HOME.to_owned()];
        while let Some(dir) = below.pop() {
            let Some(Leaf::Dir(names)) = self.machine.peek(self.id, &dir) else { continue };
            for name in names {
                let path = format!("{dir}/{name}");
                match self.machine.peek(self.id, &path) {
                    Some(Leaf::Dir(_)) if below.len() < FILES_MAX => below.push(path),
                    Some(Leaf::File(bytes)) if found.len() < FILES_MAX && bytes.len() <= room => {
                        room -= bytes.len();
                        found.insert(path, String::from_utf8_lossy(&bytes).into_owned());
                    }
                    _ => {}
                }
            }
        }
        found
    }
}

fn mount((at, volume): (&str, VolumeId)) -> MountSpec {
    MountSpec { at: at.to_owned(), volume, sub_path: String::new(), read_only: false }
}

/// The bytes of `text` put into a file of the shell.
async fn put(sys: &Sys, path: &str, data: &[u8]) {
    if let Ok(fd) = sys.open(path, OpenHow::WRITE).await {
        let _ = sys.write(fd, data).await;
        let _ = sys.close(fd);
    }
}

/// kubectl and curl in the shell: the question is laid down, and the answer waited for.
fn called(sys: Sys, argv: Vec<String>) -> Pin<Box<dyn Future<Output = i32>>> {
    Box::pin(async move {
        let (pid, words) = (sys.pid(), argv.join("\0"));
        let reads = ["-", "-f-", "-i", "-it", "-ti", "--stdin", "--filename=-", "@-"];
        if argv.iter().any(|word| reads.contains(&word.as_str())) {
            let fed = sys.read_all(0).await.unwrap_or_default();
            put(&sys, &format!("{DESK}/fed.{pid}"), &fed).await;
        }
        let ask = format!("{}\0{words}", sys.cwd());
        // A question is seen whole or not at all.
        let (new, whole) = (format!("{DESK}/new.{pid}"), format!("{DESK}/ask.{pid}"));
        put(&sys, &new, ask.as_bytes()).await;
        let _ = sys.rename(&new, &whole);
        let code = loop {
            sys.sleep(SimTime::from_millis(1)).await;
            if let Some(code) = sys.peek_file(&format!("{DESK}/code.{pid}")) {
                break code;
            }
        };
        for (fd, what) in [(1, "out"), (2, "err")] {
            let data = sys.peek_file(&format!("{DESK}/{what}.{pid}")).unwrap_or_default();
            let _ = sys.write(fd, &data).await;
        }
        String::from_utf8_lossy(&code).parse().unwrap_or(1)
    })
}

fn no_editor(sys: Sys, argv: Vec<String>) -> Pin<Box<dyn Future<Output = i32>>> {
    Box::pin(async move {
        let name = argv.first().map_or("", String::as_str);
        let why = format!(
            "not simulated: {name}. The editor of this page has manifest.yaml, and `> manifest.yaml` \
             writes there; sed -i changes other files\n"
        );
        let _ = sys.write(2, why.as_bytes()).await;
        1
    })
}
