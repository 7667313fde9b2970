//! `diff -f` and `replace --force -f`: what a file would change, line by line, and objects taken
//! away and made again. Both are tried in a copy of the cluster.
//!
//! Models k8s.io/kubectl/pkg/cmd/diff and replace (v1.36), and the lines of `diff -u -N`.

use super::cluster::Cluster;
use super::live::later;
use super::run::{Desk, look};
use super::words::Args;
use super::{Said, act, create, dump, files};
use crate::kube::tree::Tree;
use crate::sim::{Simulation, hex_of};
use crate::time::SimTime;
use crate::trace::Event;

/// The longest object that is compared, in lines.
const LINES_MAX: usize = 2_000;

fn at_desk<'a>(sim: &Simulation, past: &'a [Event], desk: &Desk) -> Cluster<'a> {
    let mut cluster = look(sim, past);
    cluster.desk = desk.clone();
    cluster
}

pub(super) fn diff(sim: &mut Simulation, past: &[Event], args: &Args, desk: &Desk) -> Said {
    if args.flag("filename").is_none() {
        return Said { exit: 2, ..Said::error("must specify one of -f and -k") };
    }
    let cluster = at_desk(sim, past, desk);
    let written = match files::objects(&cluster, args, "diff") {
        Ok(written) => written,
        Err(said) => return Said { exit: 2, ..said },
    };
    let applied = files::apply(&cluster, args);
    if applied.exit != 0 {
        return Said { out: String::new(), actions: Vec::new(), exit: 2, ..applied };
    }
    for action in &applied.actions {
        // What cannot be done leaves no difference.
        let _ = sim.act(action);
    }
    let merged = look(sim, past);
    let mut said = Said::default();
    for (kind, written, live) in files::pairs(&cluster, args, &written) {
        let namespace = match written.text("metadata.namespace") {
            "" => cluster.namespace.as_str(),
            namespace => namespace,
        };
        let new = merged.one(kind, namespace, written.text("metadata.name"));
        // A dry run wakes no controller.
        let mut new = new.cloned();
        if let (Some(new), Some(live)) = (&mut new, live) {
            new.put("status", live.get("status").clone());
        }
        let (old, new) = (text_of(live), text_of(new.as_ref()));
        let place = match kind.group {
            "" => String::new(),
            group => format!("{group}."),
        };
        let inside = if kind.namespaced { namespace } else { "" };
        let name = written.text("metadata.name");
        let file = format!("{place}{}.{}.{inside}.{name}", kind.version, kind.name);
        said.out.push_str(&unified(&cluster, &file, &old, &new));
    }
    said.exit = i32::from(!said.out.is_empty());
    said
}

/// The object's YAML, a Secret's values hidden.
fn text_of(object: Option<&Tree>) -> String {
    let Some(object) = object else { return String::new() };
    let mut object = object.clone();
    let secret = object.text("kind") == "Secret";
    if let Some(Tree::Map(data)) = object.get_mut("data").filter(|_| secret) {
        data.iter_mut().for_each(|(_, value)| *value = Tree::from("***"));
    }
    dump::yaml(&object)
}

/// The lines of `diff -u -N` for two texts; nothing where they are equal.
fn unified(cluster: &Cluster, file: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let path = |version: &str| {
        let number = u64::from_str_radix(&hex_of(version, 8), 16).unwrap_or(0);
        format!("/tmp/{version}-{number:010}/{file}")
    };
    let (from, to) = (path("LIVE"), path("MERGED"));
    let stamp = cluster.stamp(cluster.now, 9);
    let stamp = stamp.replace('T', " ").replace('Z', " +0000");
    let mut out = format!("diff -u -N {from} {to}\n--- {from}\t{stamp}\n+++ {to}\t{stamp}\n");
    let old: Vec<&str> = old.lines().take(LINES_MAX).collect();
    let new: Vec<&str> = new.lines().take(LINES_MAX).collect();
    for hunk in hunks(&old, &new) {
        out.push_str(&hunk);
    }
    out
}

/// A line of a comparison: in both, only in the old, only in the new.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Both,
    Old,
    New,
}

/// The shortest way from the one to the other, line by line.
fn way<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<(Side, &'t str)> {
    let mut common = vec![vec![0u16; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = match old[i] == new[j] {
                true => common[i + 1][j + 1] + 1,
                false => common[i + 1][j].max(common[i][j + 1]),
            };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            out.push((Side::Both, old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            out.push((Side::Old, old[i]));
            i += 1;
        } else {
            out.push((Side::New, new[j]));
            j += 1;
        }
    }
    out
}

/// Changes with three lines round them, those near each other together.
fn hunks(old: &[&str], new: &[&str]) -> Vec<String> {
    const AROUND: usize = 3;
    let way = way(old, new);
    let changed: Vec<usize> = (0..way.len()).filter(|at| way[*at].0 != Side::Both).collect();
    let mut out = Vec::new();
    let mut rest = changed.as_slice();
    while let Some(first) = rest.first() {
        let near = |at: &&[usize]| at[1] - at[0] <= 2 * AROUND;
        let n = 1 + rest.windows(2).take_while(near).count();
        let (from, to) = (first.saturating_sub(AROUND), (rest[n - 1] + AROUND + 1).min(way.len()));
        let count =
            |part: &[(Side, &str)], not: Side| part.iter().filter(|(side, _)| *side != not).count();
        let span = |not: Side| {
            let (before, within) = (count(&way[..from], not), count(&way[from..to], not));
            match within {
                0 => format!("{before},0"),
                1 => format!("{}", before + 1),
                _ => format!("{},{within}", before + 1),
            }
        };
        let mut hunk = format!("@@ -{} +{} @@\n", span(Side::New), span(Side::Old));
        for (side, line) in &way[from..to] {
            let mark = match side {
                Side::Both => ' ',
                Side::Old => '-',
                Side::New => '+',
            };
            hunk.push_str(&format!("{mark}{line}\n"));
        }
        out.push(hunk);
        rest = &rest[n..];
    }
    out
}

/// How long `replace --force` waits for what it takes away.
const GONE_MAX: SimTime = SimTime::from_secs(300);

/// `replace --force`: each object is deleted, waited for and made again.
pub(super) fn replace(sim: &mut Simulation, past: &[Event], args: &Args, desk: &Desk) -> Said {
    if args.flag("filename").is_none() {
        return Said::error("must specify one of -f and -k");
    }
    if args.flag("dry-run").is_some_and(|how| how != "none") {
        return Said::error("--dry-run can not be used when --force is set");
    }
    let cluster = at_desk(sim, past, desk);
    let written = match files::objects(&cluster, args, "replace") {
        Ok(written) => written,
        Err(said) => return said,
    };
    let from = sim.now();
    let mut said = Said::default();
    let pairs = files::pairs(&cluster, args, &written);
    let grace = args.flag("grace-period").map(|n| if n == "0" { "1" } else { n });
    let grace = grace.map_or(String::new(), |n| format!(" --grace-period={n}"));
    for (kind, _, live) in &pairs {
        let Some(live) = live else { continue };
        let name = live.text("metadata.name");
        let inside = match kind.namespaced {
            true => format!(" from {} namespace", live.text("metadata.namespace")),
            false => String::new(),
        };
        said.out.push_str(&format!("{} \"{name}\" deleted{inside}\n", kind.prefix()));
        let action = format!("delete {}{grace}", act::target(&cluster, kind, live));
        if let Err(why) = sim.act(&action) {
            return Said::failed(&why);
        }
        said.actions.push(action);
    }
    let gone = later(sim, &mut past.to_vec(), GONE_MAX, |now| {
        let there = |(kind, _, live): &files::Pair| {
            let Some(live) = live else { return false };
            let (namespace, name) = (live.text("metadata.namespace"), live.text("metadata.name"));
            now.one(kind, namespace, name).is_some()
        };
        (!pairs.iter().any(there)).then_some(())
    });
    if gone.is_none() {
        return Said { exit: 1, err: "error: context deadline exceeded\n".to_owned(), ..said };
    }
    let after = (sim.now() - from).as_secs_f64();
    for (kind, written, _) in pairs {
        if let Some(why) = cluster.refusal(written, None) {
            said.err.push_str(&format!("{}\n", why.trim_end()));
            said.exit = 1;
            continue;
        }
        let name = written.text("metadata.name");
        said.out.push_str(&format!("{}/{name} replaced\n", kind.prefix()));
        said.actions.push(format!("after {after} create {}", create::json_line(written)));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::hunks;

    #[test]
    fn lines_are_compared_as_diff_does_it() {
        let old: Vec<&str> = "a b c d e f g h i j k l m n o p".split(' ').collect();
        let new: Vec<&str> = "a b X d e f g h i j k l m n Y o p".split(' ').collect();
        assert_eq!(
            hunks(&old, &new),
            [
                "@@ -1,6 +1,6 @@\n a\n b\n-c\n+X\n d\n e\n f\n",
                "@@ -12,5 +12,6 @@\n l\n m\n n\n+Y\n o\n p\n",
            ]
        );
        assert_eq!(hunks(&[], &["a", "b"]), ["@@ -0,0 +1,2 @@\n+a\n+b\n"]);
        assert_eq!(hunks(&["a"], &["b"]), ["@@ -1 +1 @@\n-a\n+b\n"]);
        assert!(hunks(&["a"], &["a"]).is_empty());
    }
}
