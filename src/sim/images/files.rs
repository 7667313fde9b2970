//! Files, directories and users that images bring for their programs. Data in `files.tsv`.

use crate::part::part;

/// What images bring, and the texts it names.
struct Data {
    table: &'static str,
    texts: &'static [(&'static str, &'static str)],
}

part! { DATA: Data = &Data { table: include_str!("files.tsv"), texts: TEXTS }, in Programs; }

/// The images that bring anything; the others need not wait for the table.
const BRINGING: &[&str] = &[
    "curlimages/curl",
    "envoyproxy/envoy",
    "fluent/fluent-bit",
    "fluent/fluentd",
    "haproxy",
    "mariadb",
    "memcached",
    "mysql",
    "nginx",
    "nginxinc/nginx-unprivileged",
    "node",
    "postgres",
    "prom/prometheus",
    "redis",
    "valkey/valkey",
];

const TEXTS: &[(&str, &str)] = &[
    ("nginx-entrypoint.sh", include_str!("files/nginx-entrypoint.sh")),
    ("nginx.conf", include_str!("files/nginx.conf")),
    ("nginx-unprivileged.conf", include_str!("files/nginx-unprivileged.conf")),
    ("nginx-default.conf", include_str!("files/nginx-default.conf")),
    ("nginx-mime.types", include_str!("files/nginx-mime.types")),
    ("nginx-index.html", include_str!("files/nginx-index.html")),
    ("haproxy-entrypoint.sh", include_str!("files/haproxy-entrypoint.sh")),
    ("prometheus.yml", include_str!("files/prometheus.yml")),
    ("envoy.yaml", include_str!("files/envoy.yaml")),
    ("fluentd-entrypoint.sh", include_str!("files/fluentd-entrypoint.sh")),
    ("fluentd.conf", include_str!("files/fluentd.conf")),
    ("fluent-bit.conf", include_str!("files/fluent-bit.conf")),
    ("fluent-parsers.conf", include_str!("files/fluent-parsers.conf")),
    ("postgres-entrypoint.sh", include_str!("files/postgres-entrypoint.sh")),
    ("mysql-entrypoint.sh", include_str!("files/mysql-entrypoint.sh")),
    ("nginx-50x.html", include_str!("files/nginx-50x.html")),
];

/// What an image has at a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Brought {
    /// With these permissions.
    Dir(u32),
    Link(&'static str),
    File {
        content: String,
        mode: u32,
    },
    /// A user of this name with these numbers.
    User(u32, u32),
}

fn read(what: &'static str, texts: &[(&str, &str)]) -> Option<Brought> {
    let mut words = what.split(' ');
    let kind = words.next()?;
    Some(match kind {
        "dir" => {
            let mode = words.next().map(|mode| u32::from_str_radix(mode, 8));
            Brought::Dir(mode.unwrap_or(Ok(0o755)).ok()?)
        }
        "->" => Brought::Link(words.next()?),
        "user" => {
            let (uid, gid) = words.next()?.split_once(':')?;
            Brought::User(uid.parse().ok()?, gid.parse().ok()?)
        }
        "file" | "script" => {
            let name = words.next()?;
            let (_, text) = texts.iter().find(|(known, _)| *known == name)?;
            let mut content = (*text).to_owned();
            for change in words {
                let (from, to) = change.split_once('=')?;
                content = content.replace(&from.replace("\\_", " "), &to.replace("\\_", " "));
            }
            Brought::File { content, mode: if kind == "script" { 0o755 } else { 0o644 } }
        }
        _ => return None,
    })
}

/// What the image of this name brings: (path, or a user's name; what), in order.
pub fn of(image: &str) -> Vec<(&'static str, Brought)> {
    if !BRINGING.contains(&image) {
        return Vec::new();
    }
    let Some(Data { table, texts }) = loaded() else { return Vec::new() };
    let rows = table.lines().filter_map(|line| line.split_once('\t'));
    let own = rows.filter(|(name, _)| *name == image).filter_map(|(_, rest)| rest.split_once('\t'));
    own.filter_map(|(path, what)| Some((path, read(what, texts)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_reads() {
        let Data { table, texts } = loaded().expect("every part is there");
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let cells: Vec<&str> = line.split('\t').collect();
            let [image, path, what] = cells.as_slice() else { panic!("not three cells: {line:?}") };
            assert!(crate::sim::images::find(image).is_some(), "no such image: {line:?}");
            let found = of(image).into_iter().any(|(own, _)| own == *path);
            assert!(found, "cannot read {what:?} of {line:?}");
        }
        assert_eq!(read("nothing known", texts), None);
    }
}
