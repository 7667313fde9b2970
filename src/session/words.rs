//! The page's own words in the language chosen; where it has none, the English ones. Not the words
//! of a cluster: what kubectl would print stays as it is.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(BTreeMap<String, String>);

impl Words {
    pub fn new(pairs: &[(String, String)]) -> Words {
        Words(pairs.iter().cloned().collect())
    }

    pub fn say(&self, english: &str) -> String {
        self.0.get(english).map_or(english, String::as_str).to_owned()
    }

    /// Each `{}` stands for the next of `with`.
    pub fn fill(&self, english: &str, with: &[&dyn Display]) -> String {
        let mut with = with.iter();
        let mut out = String::new();
        for (i, part) in self.say(english).split("{}").enumerate() {
            if i > 0 {
                let _ = with.next().map_or(Ok(()), |value| write!(out, "{value}"));
            }
            out.push_str(part);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn words_fall_back_and_are_filled_in_order() {
        let pairs = [("{} of {} done", "{} von {} fertig"), ("Run", "Start")];
        let words = Words::new(&pairs.map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert_eq!(words.say("Run"), "Start");
        assert_eq!(words.say("Stop"), "Stop");
        assert_eq!(words.fill("{} of {} done", &[&1, &4]), "1 von 4 fertig");
        assert_eq!(words.fill("{} and {}", &[&1]), "1 and ");
    }
}
