//! Words of the lessons and what they mean: `lessons/glossary.yaml` -> marks in the prose. The
//! first use of a word in a step carries its meaning, which the page's style shows on hover and
//! focus, so that the page needs no code for it. Native only.

use super::prose;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A meaning is a sentence or two, not an article.
const MEANS_MAX: usize = 320;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Glossary {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    /// The word and its other forms, in small letters.
    forms: Vec<String>,
    html: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryFile {
    #[serde(default)]
    also: Vec<String>,
    means: String,
}

/// Reads a glossary; and a sentence for each thing wrong in it.
pub fn read_glossary(name: &str, text: &str) -> (Glossary, Vec<String>) {
    let file: BTreeMap<String, EntryFile> = match serde_yaml::from_str(text) {
        Ok(file) => file,
        Err(error) => return (Glossary::default(), vec![format!("{name}: {error}")]),
    };
    let mut problems = Vec::new();
    let mut glossary = Glossary::default();
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for (word, entry) in file {
        let n_chars = entry.means.trim().chars().count();
        if n_chars == 0 || n_chars > MEANS_MAX {
            problems.push(format!(
                "{name}: `{word}` is explained in {n_chars} characters; 1 to {MEANS_MAX} are good"
            ));
        }
        let forms: Vec<String> =
            [&word].into_iter().chain(&entry.also).map(|form| form.to_lowercase()).collect();
        for form in &forms {
            if let Some(other) = known.insert(form.clone(), word.clone()) {
                problems.push(format!("{name}: `{form}` stands under `{other}` and `{word}`"));
            }
        }
        glossary.entries.push(Entry { forms, html: prose::inline(&entry.means) });
    }
    (glossary, problems)
}

impl Glossary {
    /// Marks the first use of each word in paragraphs and lists of our own HTML. `scope` keeps
    /// the ids of texts that are shown together apart.
    pub(super) fn explain(&self, html: &str, scope: &str) -> String {
        let mut out = String::with_capacity(html.len());
        let mut told = vec![false; self.entries.len()];
        let mut open: Vec<&str> = Vec::new();
        let mut rest = html;
        while let Some(at) = rest.find('<') {
            let (text, from) = rest.split_at(at);
            self.mark(text, scope, &open, &mut told, &mut out);
            let (tag, after) = from.split_at(from.find('>').map_or(from.len(), |end| end + 1));
            follow(tag, &mut open);
            out.push_str(tag);
            rest = after;
        }
        self.mark(rest, scope, &open, &mut told, &mut out);
        out
    }

    fn mark(&self, text: &str, scope: &str, open: &[&str], told: &mut [bool], out: &mut String) {
        let running = open.iter().any(|tag| ["p", "li"].contains(tag))
            && !open.iter().any(|tag| ["code", "pre", "a"].contains(tag));
        let mut rest = text;
        while running && let Some((at, len, idx)) = self.first_word(rest, told) {
            let (before, from) = rest.split_at(at);
            let (word, after) = from.split_at(len);
            told[idx] = true;
            let (id, means) = (format!("{scope}{idx}"), &self.entries[idx].html);
            out.push_str(&format!(
                "{before}<dfn class=\"term\" tabindex=\"0\" aria-describedby=\"{id}\">{word}</dfn>\
                 <span class=\"term-note\" role=\"tooltip\" id=\"{id}\">{means}</span>"
            ));
            rest = after;
        }
        out.push_str(rest);
    }

    /// Where the earliest untold word stands; the longest of those that start there.
    fn first_word(&self, text: &str, told: &[bool]) -> Option<(usize, usize, usize)> {
        let small = text.to_ascii_lowercase();
        let entries = self.entries.iter().enumerate().filter(|(idx, _)| !told[*idx]);
        let forms = entries.flat_map(|(idx, e)| e.forms.iter().map(move |form| (idx, form)));
        let places =
            forms.filter_map(|(idx, form)| Some((word_at(&small, form)?, form.len(), idx)));
        places.min_by_key(|(at, len, _)| (*at, usize::MAX - len))
    }
}

/// Where a word stands whole; a hyphen belongs to a word.
fn word_at(text: &str, word: &str) -> Option<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let mut places = text.match_indices(word).map(|(at, _)| at);
    places.find(|at| {
        let (before, after) = (&text[..*at], &text[at + word.len()..]);
        !before.ends_with(part) && !after.starts_with(part)
    })
}

/// Keeps the names of the tags that are open.
fn follow<'a>(tag: &'a str, open: &mut Vec<&'a str>) {
    let name = tag.trim_start_matches(['<', '/']);
    let name = name.split([' ', '>', '/']).next().unwrap_or("");
    if tag.starts_with("</") {
        if let Some(at) = open.iter().rposition(|other| *other == name) {
            open.truncate(at);
        }
    } else if !tag.ends_with("/>") && !["br", "hr", "img"].contains(&name) {
        open.push(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "pod:\n  also: [pods]\n  means: Containers that share *one* node.\n\
                        pod network: { means: One address for all. }\n";

    #[test]
    fn the_first_use_of_a_word_is_explained() {
        let (glossary, problems) = read_glossary("glossary.yaml", FILE);
        assert_eq!(problems, [""; 0]);
        let html = "<h2>pod</h2><p><code>pod</code> A tripod, pod-like. Pods use the pod network \
                    of a pod.</p><p>pods</p>";
        let told = glossary.explain(html, "s");
        let mark = |word: &str, idx: usize, means: &str| {
            format!(
                "<dfn class=\"term\" tabindex=\"0\" aria-describedby=\"s{idx}\">{word}</dfn>\
                 <span class=\"term-note\" role=\"tooltip\" id=\"s{idx}\">{means}</span>"
            )
        };
        let expected = format!(
            "<h2>pod</h2><p><code>pod</code> A tripod, pod-like. {} use the {} of a pod.</p>\
             <p>pods</p>",
            mark("Pods", 0, "Containers that share <em>one</em> node."),
            mark("pod network", 1, "One address for all.")
        );
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_wrong_in_a_glossary_is_told() {
        let cases = [
            ("pod: { means: '' }", "`pod` is explained in 0 characters"),
            ("a: { means: x, also: [B] }\nb: { means: y }", "`b` stands under `a` and `b`"),
            ("pod: { text: x }", "unknown field `text`"),
        ];
        for (text, expected) in cases {
            let problems = read_glossary("glossary.yaml", text).1.join("\n");
            assert!(problems.contains(expected), "{text}: {problems}");
        }
    }
}
