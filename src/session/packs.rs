//! Lessons from elsewhere: packs that lie beside the site, and packs somebody opened here. All of
//! it is a stranger's; `lesson::pack` looks at every byte before anything of it is shown.

use super::route::{Page, Route};
use super::{Effect, Load, Msg, Part, Session};
use crate::lesson::{Card, Lesson, Pack, PackIndex, file_of, pack_names};

#[derive(Clone, Debug, PartialEq)]
pub enum Shelf {
    /// Its lessons are fetched one by one.
    Site(PackIndex),
    /// It is in this page's memory and gone with it.
    Opened(Pack),
}

impl Shelf {
    pub fn index(&self) -> &PackIndex {
        match self {
            Shelf::Site(index) => index,
            Shelf::Opened(pack) => &pack.index,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Packs {
    pub all: Vec<Shelf>,
    /// What was wrong with one of them, a sentence each.
    pub wrong: Vec<String>,
}

impl Packs {
    fn of(&self, id: &str) -> Option<&Shelf> {
        let name = id.split('/').next().unwrap_or("");
        self.all.iter().find(|shelf| shelf.index().name == name)
    }

    fn put(&mut self, shelf: Shelf) {
        let name = shelf.index().name.clone();
        self.all.retain(|other| other.index().name != name);
        self.all.push(shelf);
    }
}

/// The pack a lesson is of; None for the site's own.
fn pack_of(id: &str) -> Option<&str> {
    file_of(id).and_then(|_| id.split('/').next())
}

impl Session {
    /// The card of a lesson, of the site or of a pack.
    pub fn card(&self, id: &str) -> Option<&Card> {
        let packed = self.packs.all.iter().flat_map(|shelf| &shelf.index().tracks);
        let mut packed = packed.flat_map(|track| &track.lessons);
        self.catalogue.here().and_then(|c| c.card(id)).or_else(|| packed.find(|c| c.id == id))
    }

    pub(super) fn update_packs(&mut self, msg: Msg, out: &mut Vec<Effect>) {
        match msg {
            // A site without packs is as it should be.
            Msg::PacksCame(list) => {
                let list = list.unwrap_or_default();
                let mut names = pack_names(&String::from_utf8_lossy(&list));
                // The address named one of them before: it is on its way.
                if let Page::Lesson(id) = &self.route.page {
                    names.retain(|name| pack_of(id) != Some(name));
                }
                out.extend(names.into_iter().map(Effect::FetchPack));
            }
            Msg::PackCame(name, bytes) => {
                match bytes.and_then(|bytes| PackIndex::read(&name, &bytes)) {
                    Ok(index) => self.packs.put(Shelf::Site(index)),
                    Err(why) => self.packs.wrong.push(format!("{name}: {why}")),
                }
                self.open_packed(&name, out);
            }
            Msg::PackOpened(file, zip) => match Pack::from_zip(&zip) {
                Err(why) => {
                    let says = self.words.fill("{}: {}", &[&file, &why]);
                    self.notice(says, out);
                }
                Ok(pack) => {
                    let (name, title) = (pack.index.name.clone(), pack.index.title.clone());
                    self.packs.put(Shelf::Opened(pack));
                    let says = self.words.fill("{} is open; it stays until you leave.", &[&title]);
                    self.notice(says, out);
                    if self.route.page == Page::Catalogue {
                        self.touch(Part::Page);
                    } else if !self.open_packed(&name, out) {
                        self.go(Route::default(), out);
                        self.address(out, true);
                    }
                }
            },
            Msg::ForgetPack(name) => self.packs.all.retain(|shelf| shelf.index().name != name),
            _ => {}
        }
        self.touch(Part::Page);
    }

    /// Opens the lesson the address names, where it waits for this pack.
    fn open_packed(&mut self, name: &str, out: &mut Vec<Effect>) -> bool {
        let Page::Lesson(id) = self.route.page.clone() else { return false };
        let waits = pack_of(&id) == Some(name) && self.lesson.here().is_none();
        if waits {
            self.fetch_lesson(id, out);
        }
        waits
    }

    /// Asks for a lesson where it is; one of an opened pack is here already.
    pub(super) fn fetch_lesson(&mut self, id: String, out: &mut Vec<Effect>) {
        let Some(name) = pack_of(&id) else { return out.push(Effect::FetchLesson(id)) };
        match self.packs.of(&id) {
            Some(Shelf::Opened(pack)) => {
                let lesson = pack.lesson(&id);
                self.lesson_is(&id, lesson, out);
            }
            Some(Shelf::Site(_)) => out.push(Effect::FetchLesson(id)),
            None if self.packs.wrong.iter().any(|why| why.starts_with(&format!("{name}:"))) => {
                let why =
                    self.words.fill("The pack {} is not here. Open its file again.", &[&name]);
                self.lesson = Load::Failed(why);
                self.touch(Part::Page);
            }
            None => out.push(Effect::FetchPack(name.to_owned())),
        }
    }

    /// Bytes of a pack's lesson; None where the lesson is of the site itself.
    pub(super) fn packed_lesson(
        &self,
        id: &str,
        bytes: &Result<Vec<u8>, String>,
    ) -> Option<Result<Lesson, String>> {
        pack_of(id)?;
        let shelf = self.packs.of(id).ok_or("The pack is not here.".to_owned());
        let bytes = bytes.as_ref().map_err(Clone::clone);
        Some(bytes.and_then(|bytes| shelf.and_then(|shelf| shelf.index().lesson(id, bytes))))
    }
}
