//! Reduces a stranger's HTML to the tags and attributes that our own lessons are made of. Every
//! tag is written anew from a list, everything else is text or left out; nothing is passed on.

use super::super::Lesson;
use super::{PackIndex, is_slug};

/// Tags that may carry nothing, or only what `attribute` allows.
const TAGS: &[&str] = &[
    "p",
    "em",
    "strong",
    "code",
    "pre",
    "ul",
    "ol",
    "li",
    "blockquote",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "hr",
    "br",
    "a",
    "dfn",
    "span",
    "aside",
    "del",
    "details",
    "summary",
];
/// A tag that has not ended after so many bytes is text.
const TAG_MAX: usize = 300;

/// Every field that the page shows as HTML.
pub(super) fn clean_lesson(lesson: &mut Lesson, pack: &PackIndex) {
    let clean = |html: &mut String| *html = self::clean(html, pack);
    for step in &mut lesson.steps {
        clean(&mut step.html);
        step.tasks.iter_mut().for_each(|task| clean(&mut task.text));
        if let Some(prediction) = &mut step.prediction {
            clean(&mut prediction.question);
            for choice in &mut prediction.choices {
                clean(&mut choice.text);
                clean(&mut choice.reply);
            }
        }
    }
    lesson.hints.iter_mut().chain(&mut lesson.needs).for_each(clean);
    clean(&mut lesson.debrief_html);
    for recall in &mut lesson.recall {
        clean(&mut recall.question);
        for answer in &mut recall.answers {
            clean(&mut answer.text);
            clean(&mut answer.reply);
        }
    }
}

/// Text stays text, known tags stay bare or with their known attributes, the others vanish.
pub(super) fn clean(html: &str, pack: &PackIndex) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, from) = rest.split_at(at);
        put_text(text, &mut out);
        rest = match tag(from) {
            Some((tag, after)) => {
                tag.write(pack, &mut out);
                after
            }
            None => {
                out.push_str("&lt;");
                &from[1..]
            }
        };
    }
    put_text(rest, &mut out);
    out
}

fn put_text(text: &str, out: &mut String) {
    for (at, ch) in text.char_indices() {
        match ch {
            '>' => out.push_str("&gt;"),
            '&' if !begins_entity(&text[at + 1..]) => out.push_str("&amp;"),
            _ => out.push(ch),
        }
    }
}

fn begins_entity(text: &str) -> bool {
    let name = text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'#').take(8).count();
    let known = ["amp", "lt", "gt", "quot", "#39"];
    text[name..].starts_with(';') && known.contains(&&text[..name])
}

struct TagRead<'a> {
    closes: bool,
    name: String,
    /// (name, value) as they stood.
    attributes: Vec<(&'a str, &'a str)>,
}

/// The tag (or comment, whose name is on no list) that a text begins with, and what comes behind.
fn tag(text: &str) -> Option<(TagRead<'_>, &str)> {
    let whole = text.strip_prefix('<')?;
    // Nothing looks further than this, so that many torn tags take no longer than whole ones.
    let near = &whole[..whole.floor_char_boundary(TAG_MAX)];
    let (closes, inner) = near.strip_prefix('/').map_or((false, near), |inner| (true, inner));
    if !inner.starts_with(|c: char| c.is_ascii_alphabetic() || "!?".contains(c)) {
        return None;
    }
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inner.len());
    let name = inner[..end].to_ascii_lowercase();
    let mut tag = TagRead { closes, name, attributes: Vec::new() };
    let mut left = &inner[end..];
    loop {
        left = left.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if let Some(after) = left.strip_prefix('>') {
            return Some((tag, &whole[near.len() - after.len()..]));
        }
        let ends = |c: char| c.is_ascii_whitespace() || "=>/".contains(c);
        let (key, after) = left.split_at(left.find(ends)?);
        let (value, after) = match after.strip_prefix('=') {
            Some(after) => value(after)?,
            None => ("", after),
        };
        tag.attributes.push((key, value));
        left = after;
    }
}

/// An attribute's value and what comes behind it.
fn value(text: &str) -> Option<(&str, &str)> {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return inner.split_once(quote);
        }
    }
    let end = text.find(|c: char| c.is_ascii_whitespace() || c == '>')?;
    Some(text.split_at(end))
}

impl TagRead<'_> {
    fn write(&self, pack: &PackIndex, out: &mut String) {
        if !TAGS.contains(&self.name.as_str()) {
            return;
        }
        out.push_str(if self.closes { "</" } else { "<" });
        out.push_str(&self.name);
        if !self.closes && self.name == "aside" {
            // A presenter's notes; never in the text itself.
            out.push_str(" class=\"notes\" hidden");
        }
        for (key, value) in self.attributes.iter().filter(|_| !self.closes) {
            if let Some(value) = attribute(&self.name, key, value, pack) {
                out.push_str(&format!(" {key}=\"{value}\""));
            }
        }
        out.push('>');
    }
}

/// The value that an attribute may have there; None leaves it out. No value holds a quote.
fn attribute(tag: &str, key: &str, value: &str, pack: &PackIndex) -> Option<String> {
    let good = match (tag, key) {
        ("a", "href") => return address(value, pack),
        ("dfn", "class") => value == "term",
        ("dfn", "tabindex") => value == "0",
        ("span", "class") => value == "term-note",
        ("span", "role") => value == "tooltip",
        ("dfn", "aria-describedby") | ("span", "id") => is_note(value),
        ("code", "class") => value.strip_prefix("language-").is_some_and(is_slug),
        ("ol", "start") => value.len() < 5 && value.bytes().all(|b| b.is_ascii_digit()),
        _ => false,
    };
    good.then(|| value.to_owned())
}

/// `w3-12` or `debrief-7`: no other id of the page can be taken.
fn is_note(id: &str) -> bool {
    let number = |text: &str| text.len() < 6 && text.bytes().all(|b| b.is_ascii_digit());
    id.split_once('-').is_some_and(|(scope, n)| {
        number(n) && (scope == "debrief" || scope.strip_prefix('w').is_some_and(number))
    })
}

/// A lesson's address, within the pack where the pack has it; or the field's documentation.
fn address(value: &str, pack: &PackIndex) -> Option<String> {
    if let Some(id) = value.strip_prefix("#/lesson/") {
        let (track, slug) = id.split_once('/')?;
        let own = format!("{}/{id}", pack.name);
        let known = pack.cards().any(|card| card.id == own);
        let good = is_slug(track) && is_slug(slug);
        return good.then(|| format!("#/lesson/{}", if known { &own } else { id }));
    }
    let page = value.strip_prefix("https://kubernetes.io/")?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._#-".contains(&b);
    (value.len() < 200 && page.bytes().all(plain)).then(|| value.to_owned())
}
