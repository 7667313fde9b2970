//! Options: the letters of `$-` and the names of `set -o`.

/// Letters in the order `$-` lists them backwards; names as `set -o` prints them.
pub(in crate::shell) const NAMES: &[(char, &str)] = &[
    ('e', "errexit"),
    ('f', "noglob"),
    ('I', "ignoreeof"),
    ('i', ""),
    ('m', "monitor"),
    ('n', "noexec"),
    ('s', ""),
    ('c', ""),
    ('x', "xtrace"),
    ('v', "verbose"),
    ('C', "noclobber"),
    ('a', "allexport"),
    ('b', "notify"),
    ('u', "nounset"),
    ('E', "errtrace"),
    ('\0', "vi"),
    ('\0', "pipefail"),
];

/// Which options are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::shell) struct Options(u32);

impl Options {
    fn bit(letter: char) -> u32 {
        NAMES.iter().position(|(known, _)| *known == letter).map_or(0, |i| 1 << i)
    }

    pub(in crate::shell) fn has(self, letter: char) -> bool {
        self.0 & Options::bit(letter) != 0
    }

    pub(in crate::shell) fn named(self, name: &str) -> bool {
        let at = NAMES.iter().position(|(_, known)| *known == name);
        at.is_some_and(|i| self.0 & (1 << i) != 0)
    }

    /// False when there is no such letter.
    pub(in crate::shell) fn set(&mut self, letter: char, on: bool) -> bool {
        let bit = if letter == '\0' { 0 } else { Options::bit(letter) };
        self.0 = if on { self.0 | bit } else { self.0 & !bit };
        bit != 0
    }

    /// False when there is no such name.
    pub(in crate::shell) fn set_named(&mut self, name: &str, on: bool) -> bool {
        let found = NAMES.iter().position(|(_, known)| *known == name && !known.is_empty());
        let Some(i) = found else { return false };
        self.0 = if on { self.0 | 1 << i } else { self.0 & !(1 << i) };
        true
    }

    /// `$-`
    pub(in crate::shell) fn letters(self) -> String {
        let on = NAMES.iter().rev().filter(|(letter, _)| *letter != '\0' && self.has(*letter));
        on.map(|(letter, _)| *letter).collect()
    }
}
