//! Markdown -> HTML, and the blocks of a lesson inside it. Native only: the page gets HTML.
//! Raw HTML in the prose is shown as text, never passed on.

use super::{Claim, Goal};
use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// One `## Title` section.
pub(super) struct Section {
    pub(super) title: String,
    pub(super) html: String,
    /// (`task`, `predict` or `output`, its YAML; `notes`, its Markdown), in order.
    pub(super) blocks: Vec<(String, String)>,
    /// What it says that a run has to hold.
    pub(super) claims: Vec<Claim>,
}

/// Fenced blocks with these names are the lesson's, not the reader's.
const BLOCKS: &[&str] = &["task", "predict", "notes", OUTPUT];
/// The one that something is shown for, in its place.
pub(super) const OUTPUT: &str = "output";

/// Before the name of the manifest whose run holds what is marked.
const HOLDS: &str = "holds:";

/// The sections of a text; what stands before the first one has an empty title.
pub(super) fn sections(markdown: &str) -> Vec<Section> {
    let mut found = Vec::new();
    let mut open = Open::default();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { level: HeadingLevel::H2, .. }) => {
                found.extend(std::mem::take(&mut open).close());
                open.title = Some(String::new());
                open.in_title = true;
            }
            Event::End(TagEnd::Heading(HeadingLevel::H2)) => open.in_title = false,
            Event::Text(text) | Event::Code(text) if open.in_title => {
                open.title.get_or_insert_default().push_str(&text);
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(name)))
                if BLOCKS.contains(&&*name) =>
            {
                open.block = Some((name.to_string(), String::new()));
            }
            Event::Text(text) if open.block.is_some() => {
                if let Some((_, yaml)) = &mut open.block {
                    yaml.push_str(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) if open.block.is_some() => {
                open.blocks.extend(open.block.take());
                open.mark_output();
            }
            other => open.push(other),
        }
    }
    found.extend(open.close());
    found
}

/// A phrase of Markdown without its paragraph.
pub(super) fn inline(markdown: &str) -> String {
    let mut marks = Marks::default();
    let events = Parser::new(markdown.trim()).filter_map(|event| marks.unmark(event));
    let html = to_html(events.map(safe).collect());
    let html = html.trim();
    let bare = html.strip_prefix("<p>").and_then(|rest| rest.strip_suffix("</p>"));
    bare.filter(|bare| !bare.contains("<p>")).unwrap_or(html).to_owned()
}

/// Blocks of Markdown, all of it prose.
pub(super) fn block(markdown: &str) -> String {
    let mut marks = Marks::default();
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES);
    to_html(events.filter_map(|event| marks.unmark(event)).map(safe).collect())
}

/// What a piece of Markdown says that a run has to hold.
pub(super) fn claims(markdown: &str) -> Vec<Claim> {
    let mut marks = Marks::default();
    Parser::new_ext(markdown, Options::ENABLE_TABLES).for_each(|event| drop(marks.unmark(event)));
    marks.claims
}

/// The addresses that a piece of Markdown links to.
pub(super) fn links(markdown: &str) -> Vec<String> {
    let events = Parser::new(markdown);
    let all = events.filter_map(|event| link(&event));
    all.filter(|address| !address.starts_with(HOLDS)).collect()
}

#[derive(Default)]
struct Open<'a> {
    title: Option<String>,
    in_title: bool,
    block: Option<(String, String)>,
    blocks: Vec<(String, String)>,
    events: Vec<Event<'a>>,
    marks: Marks,
}

impl<'a> Open<'a> {
    fn push(&mut self, event: Event<'a>) {
        self.events.extend(self.marks.unmark(event).map(safe));
    }

    /// Leaves a place for what the last block shows, if it is one that does.
    fn mark_output(&mut self) {
        if self.blocks.last().is_some_and(|(name, _)| name == OUTPUT) {
            let number = self.blocks.len() - 1;
            let place = format!("<pre><code>{{{{shown {number}}}}}</code></pre>\n");
            self.events.push(Event::Html(place.into()));
        }
    }

    fn close(self) -> Option<Section> {
        if self.title.is_none() && self.events.is_empty() && self.blocks.is_empty() {
            return None;
        }
        Some(Section {
            title: self.title.unwrap_or_default(),
            html: to_html(self.events),
            blocks: self.blocks,
            claims: self.marks.claims,
        })
    }
}

/// Takes the marks of claims out of prose: `[It ends twice](holds:start 'GOAL')` is text for the
/// reader.
#[derive(Default)]
struct Marks {
    inside: bool,
    claims: Vec<Claim>,
}

impl Marks {
    fn unmark<'a>(&mut self, event: Event<'a>) -> Option<Event<'a>> {
        match &event {
            Event::Start(Tag::Link { dest_url, title, .. }) => {
                let Some(of) = dest_url.strip_prefix(HOLDS) else { return Some(event) };
                let goal = Goal(title.to_string());
                self.claims.push(Claim { of: of.to_owned(), says: String::new(), goal });
                self.inside = true;
                None
            }
            Event::End(TagEnd::Link) if self.inside => {
                self.inside = false;
                None
            }
            Event::Text(text) | Event::Code(text) if self.inside => {
                if let Some(claim) = self.claims.last_mut() {
                    claim.says.push_str(text);
                }
                Some(event)
            }
            Event::SoftBreak if self.inside => {
                if let Some(claim) = self.claims.last_mut() {
                    claim.says.push(' ');
                }
                Some(event)
            }
            _ => Some(event),
        }
    }
}

fn link(event: &Event) -> Option<String> {
    match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
            Some(dest_url.to_string())
        }
        _ => None,
    }
}

/// Raw HTML becomes text, and `lesson:track/slug` the page's own address of it.
fn safe(event: Event) -> Event {
    match event {
        Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = match dest_url.strip_prefix("lesson:") {
                Some(lesson) => CowStr::from(format!("#/lesson/{lesson}")),
                None => dest_url,
            };
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        other => other,
    }
}

fn to_html(events: Vec<Event>) -> String {
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, events.into_iter());
    html
}
