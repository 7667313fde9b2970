//! `cp`: files between the person's own and a container, by way of the container's tar.
//!
//! Models k8s.io/kubectl/pkg/cmd/cp (v1.36); ownership and times are not kept.

use super::run::{Desk, look};
use super::words::Args;
use super::{Said, get, kinds, live, logs};
use crate::shell::bytes::to_bytes;
use crate::sim::{Executed, Simulation};
use crate::text::words::quote;
use crate::time::SimTime;
use crate::trace::Event;

pub(super) const COPY: &str = "c:container no-preserve! retries:";

/// Longest text that is handed to a container, in bytes.
const TEXT_MAX: usize = 60_000;

/// (namespace, pod or "", path) of `POD:PATH`, `NAMESPACE/POD:PATH`, `PATH`.
fn place(word: &str) -> Option<(&str, &str, &str)> {
    let Some((pod, path)) = word.split_once(':') else { return Some(("", "", word)) };
    match pod.split('/').collect::<Vec<_>>()[..] {
        [""] => None,
        [pod] => Some(("", pod, path)),
        [namespace, pod] => Some((namespace, pod, path)),
        _ => None,
    }
}

pub(super) fn copy(sim: &mut Simulation, past: &[Event], args: &Args, desk: &Desk) -> Said {
    let [from, to] = &args.words[..] else {
        return Said::failed("error: source and destination are required");
    };
    let (Some(from), Some(to)) = (place(from), place(to)) else {
        return Said::error(
            "filespec must match the canonical format: [[namespace/]pod:]file/path",
        );
    };
    if !from.1.is_empty() && !to.1.is_empty() {
        return Said::error("one of src or dest must be a local file specification");
    }
    if from.2.is_empty() || to.2.is_empty() {
        return Said::error("filepath can not be empty");
    }
    if from.1.is_empty() && to.1.is_empty() {
        return Said::error("one of src or dest must be a remote file specification");
    }
    let (namespace, pod, _) = if from.1.is_empty() { to } else { from };
    let text = match (from.1.is_empty(), desk.read(from.2)) {
        (true, None) => {
            return Said::error(&format!("{} doesn't exist in local filesystem", from.2));
        }
        (_, found) => found.and_then(|texts| texts.first().map(|text| (*text).to_owned())),
    };
    let cluster = look(sim, past);
    let usual = get::namespace(&cluster, args);
    let namespace = if namespace.is_empty() { usual.as_str() } else { namespace };
    let kind = kinds::of("Pod");
    let Some(found) = kind.and_then(|kind| cluster.one(kind, namespace, pod)) else {
        return Said::failed(&format!("Error from server (NotFound): pods \"{pod}\" not found"));
    };
    let (container, told) = match logs::container(found, args.flag("container").unwrap_or("")) {
        Ok((name, told)) => (name.to_owned(), told),
        Err(why) => return Said::failed(&why),
    };
    let inside = Inside { sim, pod: cluster.said_pod(found), container, told };
    match text.filter(|_| from.1.is_empty()) {
        Some(text) => inside.write(&text, from.2, to.2),
        None => inside.read(from.2, to.2, desk),
    }
}

/// The container that is copied from or to.
struct Inside<'s> {
    sim: &'s mut Simulation,
    pod: String,
    container: String,
    told: String,
}

impl Inside<'_> {
    fn run(&mut self, argv: &[&str]) -> Executed {
        let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
        self.sim.exec(&self.pod, &self.container, &argv, SimTime::from_secs(30))
    }

    /// What a command that did not do its work says, as `exec` says it.
    fn failure(self, ran: Executed) -> Said {
        let mut said = Said { err: self.told, ..Said::default() };
        live::executed(&mut said, ran, &self.container, &format!("{}/cp", self.pod));
        said.err.insert_str(0, &std::mem::take(&mut said.out));
        said
    }

    fn write(mut self, text: &str, from: &str, to: &str) -> Said {
        let there = self.run(&["test", "-d", to]);
        let base = from.rsplit('/').next().unwrap_or(from);
        let to = match there {
            Executed::Ended { code: 0, .. } => format!("{}/{base}", to.trim_end_matches('/')),
            _ => to.to_owned(),
        };
        let dir = match to.rsplit_once('/') {
            Some(("", _)) => "/",
            Some((dir, _)) => dir,
            None => ".",
        };
        // With nothing to read, tar says whether it is there and may go to that directory.
        let ran = self.run(&["tar", "-xmf", "-", "-C", dir]);
        match &ran {
            Executed::Ended { stderr, .. } if !stderr.contains("can't change") => {}
            _ => return self.failure(ran),
        }
        if text.len() > TEXT_MAX {
            return Said::error("not simulated: a copy as long as this");
        }
        let script = "printf %s \"$1\" > \"$2\"";
        let argv = ["sh", "-c", script, "sh", text, &to];
        match self.run(&argv) {
            Executed::Ended { code: 0, .. } => {
                let argv: Vec<String> = argv.iter().map(|word| quote(word)).collect();
                let (pod, container) = (&self.pod, &self.container);
                let action = format!("exec pod/{pod} -c {container} -- {}", argv.join(" "));
                Said { err: self.told, actions: vec![action], ..Said::default() }
            }
            Executed::Ended { stderr, stdout, .. } => {
                let why = stderr.trim_end().rsplit(": ").next().unwrap_or("").to_owned();
                let stderr = format!("tar: can't open '{base}': {why}\n");
                self.failure(Executed::Ended { code: 1, stdout, stderr })
            }
            ran => self.failure(ran),
        }
    }

    fn read(mut self, from: &str, to: &str, desk: &Desk) -> Said {
        let ran = self.run(&["tar", "cf", "-", from]);
        let Executed::Ended { code: 0, stdout, stderr } = ran else {
            return match ran {
                Executed::Ended { code, stderr, .. } => {
                    self.failure(Executed::Ended { code, stdout: String::new(), stderr })
                }
                ran => self.failure(ran),
            };
        };
        let mut said = Said { err: self.told + &stderr, ..Said::default() };
        let root = from.trim_matches('/');
        let base = root.rsplit('/').next().unwrap_or(root);
        let inside = desk.files.keys().any(|path| path.starts_with(&(desk.path(to) + "/")));
        let is_dir = inside || to.ends_with('/') || [".", "..", "~"].contains(&to);
        let target = match is_dir {
            true => desk.path(&format!("{}/{base}", to.trim_end_matches(['/', '.']))),
            false => desk.path(to),
        };
        for (name, bytes) in members(&to_bytes(&stdout)) {
            let rest = name.trim_start_matches('/').strip_prefix(root).unwrap_or("");
            let text = String::from_utf8_lossy(&bytes).into_owned();
            said.written.push((format!("{}{rest}", target.replace("//", "/")), text));
        }
        said
    }
}

/// The files of a tar archive.
fn members(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let text = |bytes: &[u8]| {
        let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    };
    let (mut at, mut found) = (0, Vec::new());
    while let Some(header) = archive.get(at..at + 512).filter(|header| header[0] != 0) {
        let size = text(&header[124..136]);
        let size = usize::from_str_radix(size.trim(), 8).unwrap_or(0);
        let Some(bytes) = archive.get(at + 512..at + 512 + size) else { break };
        if matches!(header[156], b'0' | 0) {
            found.push((text(&header[..100]), bytes.to_vec()));
        }
        at += 512 + size.div_ceil(512) * 512;
    }
    found
}
