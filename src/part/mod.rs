//! Parts of the engine that a browser loads when something first needs them: a page's first lesson
//! should not wait for programs it never runs. Elsewhere every part is there from the start. Not
//! how a part travels: `worker.rs` loads one and fills it in.
//!
//! Work that meets a part that isn't there goes on with whatever is at hand, and the part is
//! wanted from then on. Work is a function of its input, so the worker loads the part and does the
//! same work again; nothing that lacked a part is ever shown.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

/// What is loaded together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// Applets beyond the everyday ones, and the servers of images.
    Programs,
    /// The server's rules for kinds beyond the everyday ones.
    Rules,
    /// What a cluster does beyond running the pods of a manifest.
    Controllers,
    /// The commands of kubectl.
    Kubectl,
}

impl Name {
    pub const ALL: [Name; 4] = [Name::Programs, Name::Rules, Name::Controllers, Name::Kubectl];

    const fn bit(self) -> u8 {
        1 << self as u8
    }

    /// Whether something of it was asked for while it was absent.
    pub fn is_wanted(self) -> bool {
        WANTED.load(Ordering::Relaxed) & self.bit() != 0
    }
}

static WANTED: AtomicU8 = AtomicU8::new(0);

/// A table that may have to be loaded first.
#[derive(Debug)]
pub struct Part<T: ?Sized + 'static> {
    name: Name,
    table: OnceLock<&'static T>,
}

impl<T: ?Sized> Part<T> {
    pub const fn absent(name: Name) -> Part<T> {
        Part { name, table: OnceLock::new() }
    }

    /// The table; or nothing, and then its part is wanted.
    pub fn get(&self) -> Option<&'static T> {
        let table = self.table.get().copied();
        if table.is_none() {
            WANTED.fetch_or(self.name.bit(), Ordering::Relaxed);
        }
        table
    }

    /// Fills it in; the first table stays.
    pub fn fill(&self, table: &'static T) {
        let _ = self.table.set(table);
        WANTED.fetch_and(!self.name.bit(), Ordering::Relaxed);
    }
}

/// `part! { MORE: [Entry] = &TABLE, in Programs; }` makes a static `MORE` that holds the table,
/// except in a browser, where naming the table would put all of it into what is loaded first.
/// There `fill()` does it, to be called from nowhere but the part.
macro_rules! part {
    ($name:ident: $table:ty = $value:expr, in $part:ident;) => {
        static $name: $crate::part::Part<$table> =
            $crate::part::Part::absent($crate::part::Name::$part);

        /// Fills in this module's part.
        #[allow(unreachable_pub, reason = "one more function may stand between it and the worker")]
        pub fn fill() {
            $name.fill($value);
        }

        /// The part's table, if it is there.
        fn loaded() -> Option<&'static $table> {
            #[cfg(not(target_arch = "wasm32"))]
            fill();
            $name.get()
        }
    };
}
pub(crate) use part;

#[cfg(test)]
mod tests {
    use super::{Name, Part};

    #[test]
    fn a_part_is_wanted_until_it_is_there() {
        let part: Part<str> = Part::absent(Name::Rules);
        assert_eq!(part.get(), None);
        assert!(Name::Rules.is_wanted());
        part.fill("a table");
        part.fill("another");
        assert_eq!((part.get(), Name::Rules.is_wanted()), (Some("a table"), false));
    }
}
