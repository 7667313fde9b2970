//! The licences of the crates inside the built wasm, for licenses.txt: permissive ones ask that
//! their text goes along.

use crate::run::{Done, ask, files, io, root};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// All notices as one text: each licence once, below the names of those under it.
pub fn text() -> Done<String> {
    let tree = ["tree", "--locked", "--target", "wasm32-unknown-unknown", "--prefix", "none"];
    let what = ["--edges", "normal,no-proc-macro", "--format", "{p}|{l}"];
    let tree = ask("cargo", &[&tree[..], &what].concat()).ok_or("`cargo tree` failed")?;
    let mut names: Vec<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    names.sort_unstable();
    names.dedup();
    let mut under: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // Our own line is the one with a path.
    for line in names.iter().filter(|line| !line.contains('/') || line.contains("|MIT/")) {
        let (package, terms) = line.split_once('|').unwrap_or((line, ""));
        let words: Vec<&str> = package.split_whitespace().collect();
        let [name, version, ..] = words[..] else { continue };
        let dir = format!("{name}-{}", version.trim_start_matches('v'));
        let text = licence(&dir).unwrap_or_else(|| format!("{terms}\n"));
        under.entry(text).or_default().push(format!("{package} ({terms})"));
    }
    let own = root().join("LICENSE");
    let own = io(&own, std::fs::read_to_string(&own))?;
    let mut all = format!("Podlab is under the Apache License 2.0:\n\n{own}\n");
    all += "It is built from these, and its editor from those of editor-licenses.txt.\n";
    for (text, names) in under {
        all += &format!("\n---\n\n{}\n\n{}\n", names.join("\n"), text.trim());
    }
    Ok(all)
}

/// The licence file of an unpacked crate; of several the shortest choice that is a licence.
fn licence(dir: &str) -> Option<String> {
    let home = std::env::var("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|_| std::env::var("HOME").map(|home| Path::new(&home).join(".cargo")));
    let registries = home.ok()?.join("registry/src");
    let mut found =
        std::fs::read_dir(registries).ok()?.flatten().map(|entry| entry.path().join(dir));
    let package = found.find(|path| path.is_dir())?;
    let is_licence = |name: &String| {
        let upper = name.to_uppercase();
        !name.contains('/') && (upper.starts_with("LICENSE") || upper.starts_with("LICENCE"))
    };
    let texts = files(&package).into_iter().filter(is_licence);
    let texts = texts.filter_map(|name| std::fs::read_to_string(package.join(name)).ok());
    texts.filter(|text| text.len() > 300).min_by_key(String::len)
}
