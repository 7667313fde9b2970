//! The API server's objects at this instant, as trees: what kubectl is answered with. Reads the
//! run's state and changes nothing.

mod nodes;
mod objects;
mod pods;
mod scaler;
mod work;

use crate::kube::tree::{Raise, Tree};
use crate::sim::control::Meta;
use crate::sim::control::finalizers::{DELETED, FINALIZERS};
use crate::sim::model::PodTemplate;
use crate::sim::world::{State, World};
use crate::time::SimTime;

/// Everything `kubectl get` can show except Events, which are told in the trace. Sorted by kind as
/// listed here, then by name.
pub(crate) fn all(world: &World) -> Vec<Tree> {
    let state = &world.st();
    let (started, seed) = (world.scenario.started_unix_secs, world.scenario.seed);
    let view = View { started, now: world.now(), seed };
    let mut out = Vec::new();
    out.extend(pods::all(&view, state));
    out.extend(work::all(&view, state));
    out.extend(scaler::all(&view, state));
    out.extend(objects::all(&view, state, &world.scenario));
    out.extend(nodes::all(&view, state, &world.scenario.namespace));
    out.iter_mut().for_each(|tree| mark(state, tree));
    out
}

/// Labels and annotations an object was given later.
fn mark(state: &State, tree: &mut Tree) {
    let kind = tree.text("kind").to_ascii_lowercase();
    let at = tree.get("metadata");
    let name = state.key(&kind, at.text("namespace"), at.text("name"));
    let Some(metadata) = tree.get_mut("metadata") else { return };
    for field in ["annotations", "labels"] {
        let Some(later) = state.marks.get(&(kind.clone(), name.clone(), field)) else { continue };
        let mut all = metadata.get(field).clone();
        for (key, value) in later {
            all.put(key.clone(), Tree::from(value.clone()));
        }
        metadata.put(field, filled(all));
    }
    if let Some(later) = state.marks.get(&(kind.clone(), name.clone(), FINALIZERS)) {
        let mut all = metadata.get(FINALIZERS).items().to_vec();
        all.retain(|one| !later.contains_key(one.str()));
        let given = later.iter().filter(|(_, given)| given.is_some());
        all.extend(given.map(|(one, _)| Tree::from(one.as_str())));
        metadata.put(FINALIZERS, if all.is_empty() { Tree::Null } else { Tree::List(all) });
    }
    if let Some(at) = state.marks.get(&(kind, name, DELETED)).and_then(|map| map.get("at")) {
        let secs = at.as_deref().and_then(|at| at.parse().ok()).unwrap_or(0);
        metadata.put("deletionGracePeriodSeconds", Tree::Int(0));
        metadata.put("deletionTimestamp", Tree::from(stamp(secs)));
    }
}

/// What all objects' trees are made with.
pub(super) struct View {
    started: i64,
    now: SimTime,
    seed: u64,
}

/// Kinds whose spec has a generation.
const WITH_GENERATION: [&str; 6] =
    ["deployment", "replicaset", "statefulset", "daemonset", "job", "cronjob"];

impl View {
    /// RFC 3339 in whole seconds, as objects carry times.
    fn stamp(&self, at: SimTime) -> Tree {
        Tree::Str(stamp(self.started + at.as_secs() as i64))
    }

    /// The metadata of an object a controller or a person made.
    fn metadata(&self, state: &State, meta: &Meta) -> Tree {
        let counted = WITH_GENERATION.contains(&meta.kind);
        let generation = counted.then(|| Tree::Int(state.generation(meta.kind, &meta.name)));
        let written = |path: &str| {
            let node = meta.source.origins.node(path);
            node.map_or(Tree::Null, Tree::of_node)
        };
        Tree::of(vec![
            ("annotations", written("metadata.annotations")),
            ("creationTimestamp", self.stamp(meta.created_at)),
            ("finalizers", written("metadata.finalizers")),
            ("generation", generation.unwrap_or_default()),
            ("labels", written("metadata.labels")),
            ("name", Tree::from(meta.plain())),
            ("namespace", Tree::from(meta.namespace.as_str())),
            ("resourceVersion", Tree::from((1_000 + meta.applied.0).to_string())),
            ("uid", Tree::from(uid(meta.kind, &meta.name, meta.created_at))),
        ])
    }
}

/// An object of a kind with its metadata; more is put into it.
pub(super) fn object(api_version: &'static str, kind: &'static str, metadata: Tree) -> Tree {
    let head = [("apiVersion", api_version), ("kind", kind)];
    let mut tree = Tree::of(head.map(|(key, text)| (key, Tree::from(text))).to_vec());
    tree.put("metadata", metadata);
    tree
}

/// A pod template as the API shows it.
pub(super) fn template(template: &PodTemplate) -> Tree {
    let metadata = Tree::of(vec![
        ("annotations", filled(template.annotations.raise())),
        ("labels", filled(template.labels.raise())),
    ]);
    let mut spec = template.spec.raise();
    show_resources(&mut spec);
    Tree::of(vec![("metadata", metadata), ("spec", spec)])
}

/// Go writes a container's empty `resources`, which is no pointer there.
pub(super) fn show_resources(spec: &mut Tree) {
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        let Some(Tree::List(items)) = spec.get_mut(list) else { continue };
        for one in items {
            one.put_new("resources", Tree::map());
        }
    }
}

/// Empty maps are left out.
pub(super) fn filled(tree: Tree) -> Tree {
    if tree.entries().is_empty() { Tree::Null } else { tree }
}

/// `uid` of an object that keeps none: the same each run, another for each object.
pub(super) fn uid(kind: &str, name: &str, created_at: SimTime) -> String {
    let hex = hex_of(&format!("{kind}/{name}/{created_at}"), 32);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or("0").to_owned();
    let words = [part(0, 8), part(8, 12), format!("4{}", part(13, 16)), part(16, 20), part(20, 32)];
    words.join("-")
}

/// So many hexadecimal digits that stand for a text.
pub fn hex_of(text: &str, n_digits: usize) -> String {
    let mut out = String::new();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    while out.len() < n_digits {
        for byte in text.bytes().chain([out.len() as u8]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        out.push_str(&format!("{:016x}", hash ^ (hash >> 29)));
    }
    out.truncate(n_digits);
    out
}

/// So many symbols as generated names have them, standing for a text.
pub fn suffix_of(text: &str, n: usize) -> String {
    const SYMBOLS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let digits = hex_of(text, 4 * n).into_bytes();
    let symbol = |four: &[u8]| {
        let number = four.iter().fold(0usize, |sum, digit| sum * 31 + usize::from(*digit));
        SYMBOLS.get(number % SYMBOLS.len()).copied().unwrap_or(b'x') as char
    };
    digits.chunks(4).map(symbol).collect()
}

/// Seconds since 1970 as `2026-11-20T19:32:36Z`.
pub fn stamp(unix_secs: i64) -> String {
    let (days, secs) = (unix_secs.div_euclid(86_400), unix_secs.rem_euclid(86_400));
    // A civil date from days, counting years from March.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * m + 2) / 5 + 1;
    let month = if m < 10 { m + 3 } else { m - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hour, minute, second) = (secs / 3_600, secs / 60 % 60, secs % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    #[test]
    fn stamps_are_civil_dates() {
        for (secs, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_795_201_907, "2026-11-20T19:11:47Z"),
            (1_709_208_000, "2024-02-29T12:00:00Z"),
            (1_767_603_600, "2026-01-05T09:00:00Z"),
        ] {
            assert_eq!(super::stamp(secs), text);
        }
    }
}
