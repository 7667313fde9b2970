//! What the page remembers about itself: theme, speed, sizes of panes. One line each.

use std::fmt::Write;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub fn next(self) -> Theme {
        match self {
            Theme::System => Theme::Light,
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::System,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

/// A border between panes that can be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// Width of the lesson.
    Lesson,
    /// Width of the editor.
    Editor,
    /// Height of the timeline and the panels.
    Lower,
    /// Width of the timeline in the lower part.
    Lanes,
}

impl Split {
    pub const ALL: [Split; 4] = [Split::Lesson, Split::Editor, Split::Lower, Split::Lanes];

    /// The name in storage, and of the CSS variable with two dashes before it.
    pub fn name(self) -> &'static str {
        match self {
            Split::Lesson => "split-lesson",
            Split::Editor => "split-editor",
            Split::Lower => "split-lower",
            Split::Lanes => "split-lanes",
        }
    }

    /// (least, usual, most) in thousandths of the window's width or height.
    pub fn range(self) -> (u32, u32, u32) {
        match self {
            Split::Lesson => (140, 230, 400),
            Split::Editor => (180, 340, 560),
            Split::Lower => (140, 340, 700),
            Split::Lanes => (250, 540, 800),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Prefs {
    pub theme: Theme,
    pub speed: u32,
    sizes: [u32; 4],
    /// The lesson opened last, for "resume".
    pub last: String,
    /// Two letters; empty for English.
    pub language: String,
    /// The language was chosen; else the browser's is taken.
    pub chosen: bool,
}

impl Default for Prefs {
    fn default() -> Prefs {
        let sizes = Split::ALL.map(|s| s.range().1);
        let (last, language) = (String::new(), String::new());
        Prefs { theme: Theme::System, speed: 5, sizes, last, language, chosen: false }
    }
}

impl Prefs {
    pub const KEY: &'static str = "podlab.prefs";

    pub fn size(&self, split: Split) -> u32 {
        self.sizes[split as usize]
    }

    /// None restores the usual size; less than half of the least folds the pane away, as 0.
    pub fn set_size(&mut self, split: Split, size: Option<u32>) {
        let (least, usual, most) = split.range();
        let given = |s: u32| if s < least / 2 { 0 } else { s.clamp(least, most) };
        self.sizes[split as usize] = size.map_or(usual, given);
    }

    /// The names of the panes that are folded away.
    pub fn folded(&self) -> String {
        let folded = Split::ALL.into_iter().filter(|s| self.size(*s) == 0);
        folded.map(Split::name).collect::<Vec<_>>().join(" ")
    }

    /// How the names of files in the chosen language end.
    pub fn ending(&self) -> String {
        if self.language.is_empty() { ".bin".into() } else { format!(".{}.bin", self.language) }
    }

    pub fn encode(&self) -> String {
        let mut out = format!("theme {}\nspeed {}\n", self.theme.name(), self.speed);
        for split in Split::ALL {
            let _ = writeln!(out, "{} {}", split.name(), self.size(split));
        }
        let _ = writeln!(out, "last {}", self.last);
        if self.chosen {
            let _ = writeln!(out, "language {}", self.language);
        }
        out
    }

    /// Lines it does not know are left out, values out of range are brought into it.
    pub fn decode(text: &str) -> Prefs {
        let mut prefs = Prefs::default();
        for (name, value) in text.lines().filter_map(|l| l.split_once(' ')) {
            match name {
                "theme" => {
                    let all = [Theme::System, Theme::Light, Theme::Dark];
                    prefs.theme = all.into_iter().find(|t| t.name() == value).unwrap_or_default();
                }
                "speed" => {
                    let speed = value.parse().ok().filter(|s| super::player::SPEEDS.contains(s));
                    prefs.speed = speed.unwrap_or(prefs.speed);
                }
                "last" => value.clone_into(&mut prefs.last),
                // It becomes part of a file's address.
                "language" if value.bytes().all(|b| b.is_ascii_lowercase()) => {
                    value.clone_into(&mut prefs.language);
                    prefs.chosen = true;
                }
                _ => {
                    let split = Split::ALL.into_iter().find(|s| s.name() == name);
                    if let (Some(split), Ok(size)) = (split, value.parse()) {
                        prefs.set_size(split, Some(size));
                    }
                }
            }
        }
        prefs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_come_back_and_stay_in_range() {
        let mut prefs = Prefs { theme: Theme::Dark, speed: 20, ..Prefs::default() };
        prefs.set_size(Split::Lower, Some(500));
        prefs.last = "init/wait".into();
        (prefs.language, prefs.chosen) = ("de".into(), true);
        assert_eq!(Prefs::decode(&prefs.encode()), prefs);
        assert_eq!(Prefs::decode("language ../de\n").language, "");
        let odd = Prefs::decode("theme pink\nspeed 7\nsplit-lower 9999\nnew thing\n\0");
        assert_eq!(odd.size(Split::Lower), 700);
        assert_eq!((odd.theme, odd.speed), (Theme::System, 5));
        prefs.set_size(Split::Lower, None);
        assert_eq!(prefs.size(Split::Lower), 340);
        prefs.set_size(Split::Lower, Some(10));
        prefs.set_size(Split::Lesson, Some(100));
        assert_eq!((prefs.size(Split::Lesson), prefs.folded().as_str()), (140, "split-lower"));
        assert_eq!(Prefs::decode(&prefs.encode()), prefs);
    }
}
