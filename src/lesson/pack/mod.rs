//! Packs: lessons from elsewhere, read at run time. `podlab lessons pack` writes one as a zip of
//! small files; the page takes the zip, or the same files from a folder beside the site. Whatever
//! is in them is a stranger's: its size and shape are looked at and its HTML is reduced to what our
//! own lessons use. Neither fetches nor stores anything.

mod html;
mod shape;
#[cfg(test)]
mod tests;
mod unzip;
#[cfg(not(target_arch = "wasm32"))]
mod write;

use super::{Lesson, Track};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[cfg(not(target_arch = "wasm32"))]
pub use write::write_pack;

/// First line of a pack's index. The number changes with the fields of `Lesson`, `Track` and what
/// is in them, because the bytes behind it carry no field names.
const FIRST_LINE: &str = "podlab-pack 1\n";
/// The index's file below the pack's folder.
const INDEX: &str = "pack.bin";
/// A whole pack, in bytes.
pub const PACK_BYTES_MAX: usize = 8 << 20;
/// One of its files, in bytes.
const FILE_BYTES_MAX: usize = 512 << 10;
/// Packs of one site.
const PACKS_MAX: usize = 20;
const NAME_MAX: usize = 40;

/// What a pack holds, as `pack.bin` tells it. Ids of its cards are `PACK/TRACK/SLUG`, so that they
/// are nobody else's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PackIndex {
    /// Small letters, digits and hyphens; also the folder beside the site.
    pub name: String,
    pub title: String,
    pub tracks: Vec<Track>,
}

/// A pack that came whole, as a zip.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pack {
    pub index: PackIndex,
    /// By name below the pack's folder.
    files: BTreeMap<String, Vec<u8>>,
}

impl Pack {
    /// Reads what `podlab lessons pack` wrote, or says in a sentence why not.
    pub fn from_zip(zip: &[u8]) -> Result<Pack, String> {
        let (name, files) = unzip::unzip(zip)?;
        let index = files.get(INDEX).ok_or("This zip is no pack of lessons: no pack.bin in it.")?;
        Ok(Pack { index: PackIndex::read(&name, index)?, files })
    }

    /// One of its lessons, by the id of its card.
    pub fn lesson(&self, id: &str) -> Result<Lesson, String> {
        let bytes = file_of(id).and_then(|file| {
            let (_, name) = file.split_once('/')?;
            self.files.get(name)
        });
        let bytes = bytes.ok_or_else(|| format!("The pack has no lesson {id}."))?;
        self.index.lesson(id, bytes)
    }
}

impl PackIndex {
    /// Reads `packs/NAME/pack.bin`, or says in a sentence why not.
    pub fn read(name: &str, bytes: &[u8]) -> Result<PackIndex, String> {
        if bytes.len() > FILE_BYTES_MAX {
            return Err("The list of this pack's lessons is too large.".to_owned());
        }
        let body = bytes.strip_prefix(FIRST_LINE.as_bytes()).ok_or(if bytes.starts_with(b"podlab-pack ") {
            "This pack was made for another version of the lab; make it again with `podlab lessons pack`."
        } else {
            "This is no pack of lessons."
        })?;
        let mut index: PackIndex = decode(body)?;
        if index.name != name {
            let (own, name) = (shape::short(&index.name), shape::short(name));
            return Err(format!("The pack `{own}` is in a folder called `{name}`."));
        }
        shape::look_at_index(&index)?;
        for card in index.tracks.iter_mut().flat_map(|track| &mut track.lessons) {
            card.id = format!("{name}/{}", card.id);
        }
        Ok(index)
    }

    /// Reads the file of one of its lessons, reduced to what a lesson may hold.
    pub fn lesson(&self, id: &str, bytes: &[u8]) -> Result<Lesson, String> {
        let card = self.cards().find(|card| card.id == id);
        let card = card.ok_or_else(|| format!("The pack has no lesson {}.", shape::short(id)))?;
        if bytes.len() > FILE_BYTES_MAX {
            return Err("This lesson is too large.".to_owned());
        }
        let mut lesson: Lesson = decode(bytes)?;
        shape::look_at_lesson(&lesson)?;
        lesson.card = card.clone();
        html::clean_lesson(&mut lesson, self);
        Ok(lesson)
    }

    fn cards(&self) -> impl Iterator<Item = &super::Card> {
        self.tracks.iter().flat_map(|track| &track.lessons)
    }
}

/// Names of packs in `packs/index.json`, a list of strings; what cannot be a name is left out.
pub fn pack_names(list: &str) -> Vec<String> {
    let words = list.split(|c: char| !c.is_ascii_alphanumeric() && !"-_./".contains(c));
    let names = words.filter(|word| is_slug(word)).map(str::to_owned);
    names.take(PACKS_MAX).collect()
}

/// The index's file below `packs/`.
pub fn index_file_of(name: &str) -> String {
    format!("{name}/{INDEX}")
}

/// The file below `packs/` of the lesson with this id; None for an id that is of no pack.
pub fn file_of(id: &str) -> Option<String> {
    let parts: Vec<&str> = id.split('/').collect();
    match parts[..] {
        [pack, track, slug] if parts.iter().all(|part| is_slug(part)) => {
            Some(format!("{pack}/{track}-{slug}.bin"))
        }
        _ => None,
    }
}

/// What may become part of a file's address.
fn is_slug(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME_MAX && is_plain(text)
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    postcard::from_bytes(bytes).map_err(|_| {
        "A file of this pack cannot be read: it is torn or of another make.".to_owned()
    })
}
