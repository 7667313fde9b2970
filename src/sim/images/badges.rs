//! How far each behaviour of an image's programs is to be trusted: verified against the real thing,
//! modelled after its documentation or source, or not simulated. Data in `badges.tsv`.

use super::{Image, Tools, find};
use crate::order::Order;

const TABLE: &str = include_str!("badges.tsv");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Badge {
    /// Held against the real program.
    Verified,
    /// Built from documentation, source or reports.
    Modelled,
    /// Said in the run where it is met.
    NotSimulated,
}

impl Badge {
    pub fn word(self) -> &'static str {
        match self {
            Badge::Verified => "verified",
            Badge::Modelled => "modelled",
            Badge::NotSimulated => "not simulated",
        }
    }

    pub fn read(word: &str) -> Option<Badge> {
        [Badge::Verified, Badge::Modelled, Badge::NotSimulated]
            .into_iter()
            .find(|b| b.word() == word)
    }
}

/// A program, how far it is to be trusted, and in what.
pub type Row = (&'static str, Badge, &'static str);

fn rows() -> impl Iterator<Item = Row> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut cells = line.split('\t');
        Some((cells.next()?, Badge::read(cells.next()?)?, cells.next()?))
    })
}

/// What holds of an image; a program of it without a row of its own is a stand-in.
pub fn of(image: &Image) -> Vec<Row> {
    let mut names: Vec<&str> = vec!["*"];
    if image.tools != Tools::None {
        names.push("ash");
    }
    let own = image.programs().map(|path| path.rsplit('/').next().unwrap_or(path));
    names.extend(own.map(|name| match name {
        "mariadbd" | "mysqld" => "mysqld",
        "valkey-server" => "redis-server",
        "valkey-cli" => "redis-cli",
        "python" => "python3",
        name => name,
    }));
    let mut found: Vec<Row> = rows().filter(|(name, ..)| names.contains(name)).collect();
    found.order_by_key(|(name, ..)| names.iter().position(|own| own == name));
    found
}

/// The badges of an image as `podlab explain image NAME` prints them.
pub fn explain(name: &str) -> Option<String> {
    let image = find(name)?;
    let mut out = format!("image {}\n", image.name);
    for (program, badge, what) in of(&image) {
        let program = if program == "*" { String::new() } else { format!("{program}: ") };
        out.push_str(&format!("  {:<13}  {program}{what}\n", badge.word()));
    }
    let known: Vec<&str> = rows().map(|(name, ..)| name).collect();
    let own = image.programs().map(|path| path.rsplit('/').next().unwrap_or(path));
    let others: Vec<&str> = own.filter(|name| !known.contains(name)).collect();
    if !others.is_empty() {
        let list = others.join(" ");
        out.push_str(&format!(
            "  also there, each saying in the run what it does not do: {list}\n"
        ));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_reads_and_images_have_badges() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(rows().count(), lines);
        let text = explain("haproxy:2.4").expect("known");
        assert!(text.contains("not simulated  haproxy: TLS"), "{text}");
        assert_eq!(explain("team/own:1"), None);
        assert_eq!(Badge::read("perhaps"), None);
    }
}
