//! Keys and values of ConfigMaps and Secrets: from literals, files, directories and env files.
//!
//! Models k8s.io/kubectl/pkg/cmd/create/create_configmap.go and pkg/cmd/util/env_file.go (v1.36).

use crate::kubectl::cluster::Cluster;
use crate::kubectl::words::Args;

/// (key, value) in the order they are added.
pub(super) fn of(cluster: &Cluster, args: &Args) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    for source in args.all("from-file") {
        from_file(cluster, source, &mut found)?;
    }
    for pair in args.all("from-literal") {
        let wrong = || format!("invalid literal source {pair}, expected key=value");
        let (key, value) =
            pair.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(wrong)?;
        found.push((key.to_owned(), value.to_owned()));
    }
    for file in args.all("from-env-file") {
        for line in text(cluster, file)?.lines().map(str::trim_start) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some((key, value)) = line.split_once('=') {
                found.push((key.to_owned(), value.to_owned()));
            }
        }
    }
    Ok(found)
}

fn text<'c>(cluster: &'c Cluster, file: &str) -> Result<&'c str, String> {
    let found = cluster.desk.files.get(&cluster.desk.path(file));
    found
        .map(String::as_str)
        .ok_or_else(|| format!("error reading {file}: no such file or directory"))
}

/// `FILE`, `KEY=FILE`, `DIRECTORY`.
fn from_file(
    cluster: &Cluster,
    source: &str,
    found: &mut Vec<(String, String)>,
) -> Result<(), String> {
    let (key, file) = match source.split_once('=') {
        None => (source.rsplit('/').next().unwrap_or(source), source),
        Some(("", file)) => return Err(format!("key name for file path {file} missing")),
        Some((key, "")) => return Err(format!("file path for key name {key} missing")),
        Some((_, file)) if file.contains('=') => {
            return Err("key names or file paths cannot contain '='".to_owned());
        }
        Some(pair) => pair,
    };
    let dir =
        format!("{}/", cluster.desk.path(file.trim_end_matches(['/', '.'])).trim_end_matches('/'));
    let files = cluster.desk.files.iter();
    let inside = files.filter_map(|(path, text)| Some((path.strip_prefix(&dir)?, text)));
    let inside: Vec<_> =
        inside.filter(|(name, _)| !name.contains('/') && *name != ".state").collect();
    if inside.is_empty() {
        found.push((key.to_owned(), text(cluster, file)?.to_owned()));
        return Ok(());
    }
    if source.contains('=') {
        return Err("cannot give a key name for a directory path".to_owned());
    }
    found.extend(inside.into_iter().map(|(name, text)| (name.to_owned(), text.clone())));
    Ok(())
}
