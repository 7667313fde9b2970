//! Lessons -> the files of a pack. What is written is read back at once, so that a pack the page
//! would refuse is never made. Native only.

use super::super::{Catalogue, Lesson};
use super::{FIRST_LINE, INDEX, PackIndex, file_of};
use std::collections::BTreeMap;

/// (path below `packs/`, content) of each file; or why there can be no such pack.
pub fn write_pack(
    name: &str,
    title: &str,
    catalogue: &Catalogue,
    lessons: &[Lesson],
) -> Result<Vec<(String, Vec<u8>)>, String> {
    let tracks = catalogue.tracks.clone();
    let index = PackIndex { name: name.to_owned(), title: title.to_owned(), tracks };
    let mut bytes = FIRST_LINE.as_bytes().to_vec();
    bytes.extend(postcard::to_allocvec(&index).map_err(|error| error.to_string())?);
    let read = PackIndex::read(name, &bytes)?;
    let mut files = BTreeMap::from([(format!("{name}/{INDEX}"), bytes)]);
    for lesson in lessons {
        let own = &lesson.card.id;
        let id = format!("{name}/{own}");
        let told = |why: String| format!("{own}: {why}");
        let file = file_of(&id).ok_or_else(|| told("no id of a lesson".to_owned()))?;
        let bytes = postcard::to_allocvec(lesson).map_err(|error| told(error.to_string()))?;
        read.lesson(&id, &bytes).map_err(told)?;
        if files.insert(file.clone(), bytes).is_some() {
            return Err(told(format!("another lesson is written to {file} as well")));
        }
    }
    Ok(files.into_iter().collect())
}
