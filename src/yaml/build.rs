//! Tokens -> marked tree, by goyaml's grammar: aliases expanded, merge keys merged, scalars
//! resolved. Stops at the first thing that cannot be read and keeps what was understood.
//!
//! Models go.yaml.in/yaml/v2 parserc.go and decode.go.

use super::map::Map;
use super::mark::{Complaint, Mark, Payload, T};
use super::scan::Scanner;
use super::{Entry, Node, Scalar, Style, Value, resolve, words};
use crate::text::Span;
use std::collections::BTreeMap;

/// Deeper nesting than any manifest has; keeps recursion within a small stack.
const DEPTH_MAX: usize = 200;
/// Nodes that aliases may add to a document.
const EXPANDED_MAX: usize = 100_000;
/// Repeated keys that are reported.
const DUPLICATES_MAX: usize = 100;

/// A problem found in text that could be read: kubectl's words and the place.
pub(super) struct Refusal {
    pub(super) words: String,
    pub(super) span: Span,
}

/// A key that stands twice in one map: the earlier and the later place.
pub(super) struct Duplicate {
    pub(super) key: String,
    pub(super) first: Span,
    pub(super) second: Span,
}

pub(super) struct Builder<'a> {
    pub(super) scanner: Scanner<'a>,
    /// The first one decides, as goyaml stops at it.
    pub(super) refusal: Option<Refusal>,
    pub(super) duplicates: Vec<Duplicate>,
    pub(super) too_deep: Option<Span>,
    tags: Vec<(String, String)>,
    /// None while the anchored node is still being read.
    anchors: BTreeMap<String, Option<(Node, usize)>>,
    depth: usize,
    n_nodes: usize,
    n_expanded: usize,
    /// Where the last thing read that belongs to a value ends.
    pub(super) written: usize,
}

/// Anchor and tag before a node.
#[derive(Default)]
struct Props {
    anchor: Option<String>,
    tag: Option<String>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(scanner: Scanner<'a>) -> Builder<'a> {
        Builder {
            scanner,
            refusal: None,
            duplicates: Vec::new(),
            too_deep: None,
            tags: Vec::new(),
            anchors: BTreeMap::new(),
            depth: 0,
            n_nodes: 0,
            n_expanded: 0,
            written: 0,
        }
    }

    /// The first document, and the place after it if more text follows that kubectl ignores.
    pub(super) fn document(&mut self) -> (Option<Node>, Option<usize>) {
        let (mut t, ..) = self.peek();
        if matches!(t, T::StreamEnd | T::Fail) {
            return (None, None);
        }
        if matches!(t, T::Version | T::TagDirective | T::DocStart) {
            self.directives();
            let (next, start, _) = self.peek();
            if next != T::DocStart {
                self.complain(None, "did not find expected <document start>", start);
                return (None, None);
            }
            self.scanner.take();
            t = self.peek().0;
        } else if t == T::DocEnd {
            let (_, start, _) = self.peek();
            self.complain(Some(start), "did not find expected node content", start);
            return (None, None);
        }
        self.default_tags();
        let ends = [T::Version, T::TagDirective, T::DocStart, T::DocEnd, T::StreamEnd];
        let root = (!ends.contains(&t)).then(|| self.node(true, false));
        let (t, start, _) = self.peek();
        if t == T::DocEnd {
            self.scanner.take();
            let (next, start, _) = self.peek();
            return (root, (next != T::StreamEnd && next != T::Fail).then_some(start.at));
        }
        (root, (t != T::StreamEnd && t != T::Fail).then_some(start.at))
    }

    pub(super) fn peek(&mut self) -> (T, Mark, Mark) {
        self.scanner.peek()
    }

    pub(super) fn complain(&mut self, context: Option<Mark>, problem: &str, at: Mark) {
        let problem = problem.to_owned();
        self.scanner.complain(Complaint { problem, at, context, scanner: false });
    }

    fn refuse(&mut self, words: impl Into<String>, span: Span) {
        self.refusal.get_or_insert(Refusal { words: words.into(), span });
    }

    fn directives(&mut self) {
        let mut versions = 0;
        loop {
            let (t, start, _) = self.peek();
            match (t, t == T::Version && versions > 0) {
                (_, true) => self.complain(None, "found duplicate %YAML directive", start),
                (T::Version, _) => {
                    versions += 1;
                    if !matches!(self.scanner.take(), Payload::Word(word) if word == "1.1") {
                        self.complain(None, "found incompatible YAML document", start);
                    }
                }
                (T::TagDirective, _) => {
                    let Payload::Pair(handle, prefix) = self.scanner.take() else { return };
                    if self.tags.iter().any(|(known, _)| *known == handle) {
                        self.complain(None, "found duplicate %TAG directive", start);
                    }
                    self.tags.push((handle, prefix));
                }
                _ => return,
            }
        }
    }

    fn default_tags(&mut self) {
        for (handle, prefix) in [("!", "!"), ("!!", "tag:yaml.org,2002:")] {
            if !self.tags.iter().any(|(known, _)| known == handle) {
                self.tags.push((handle.into(), prefix.into()));
            }
        }
    }

    pub(super) fn node(&mut self, block: bool, indentless: bool) -> Node {
        let (t, start, end) = self.peek();
        let here = Span::new(start.at, end.at);
        if self.depth >= DEPTH_MAX && t != T::Fail {
            self.too_deep.get_or_insert(here);
            self.complain(None, "exceeded max depth of 10000", start);
        }
        if t == T::Alias {
            let Payload::Word(name) = self.scanner.take() else { return Node::null(start.at) };
            self.written = end.at;
            return self.alias(&name, start, here);
        }
        let Some(props) = self.props(start) else { return Node::null(start.at) };
        let name = props.anchor.clone();
        if let Some(name) = &name {
            self.anchors.insert(name.clone(), None);
        }
        let before = self.n_nodes;
        self.depth += 1;
        let node = self.content(block, indentless, props, start);
        self.depth -= 1;
        self.n_nodes += 1;
        if let Some(name) = name {
            self.anchors.insert(name, Some((node.clone(), self.n_nodes - before)));
        }
        node
    }

    fn alias(&mut self, name: &str, start: Mark, here: Span) -> Node {
        let words = match self.anchors.get(name) {
            None => {
                let problem = format!("unknown anchor '{name}' referenced");
                self.complain(None, &problem, Mark { line: 0, ..start });
                return Node { span: here, value: Value::Null };
            }
            Some(None) => format!("yaml: anchor '{name}' value contains itself"),
            Some(Some((node, n))) => {
                let (nodes, expanded) = (self.n_nodes + n, self.n_expanded + n);
                let share = expanded as f64 / nodes as f64;
                let excessive = expanded > 100 && nodes > 1000 && share > 0.99;
                if !excessive && expanded <= EXPANDED_MAX {
                    (self.n_nodes, self.n_expanded) = (nodes, expanded);
                    return node.clone();
                }
                "yaml: document contains excessive aliasing".to_owned()
            }
        };
        self.refuse(words, here);
        Node { span: here, value: Value::Null }
    }

    fn props(&mut self, start: Mark) -> Option<Props> {
        let mut props = Props::default();
        for _ in 0..2 {
            let (t, at, _) = self.peek();
            if t == T::Anchor && props.anchor.is_none() {
                if let Payload::Word(name) = self.scanner.take() {
                    props.anchor = Some(name);
                }
            } else if t == T::Tag && props.tag.is_none() {
                let Payload::Pair(handle, suffix) = self.scanner.take() else { return None };
                let known = self.tags.iter().find(|(known, _)| *known == handle);
                props.tag = match (handle.is_empty(), known) {
                    (true, _) => Some(suffix),
                    (false, Some((_, prefix))) => Some(format!("{prefix}{suffix}")),
                    (false, None) => {
                        self.complain(Some(start), "found undefined tag handle", at);
                        return None;
                    }
                };
            }
        }
        Some(props)
    }

    fn content(&mut self, block: bool, indentless: bool, props: Props, node_start: Mark) -> Node {
        let (t, start, end) = self.peek();
        match t {
            T::BlockEntry if indentless => self.indentless_sequence(start),
            T::Scalar => match self.scanner.take() {
                Payload::Scalar(scalar) => self.scalar(scalar, &props, start.at, end.at),
                _ => Node::null(start.at),
            },
            T::FlowSeqStart => self.flow_sequence(start),
            T::FlowMapStart => self.flow_mapping(start),
            T::BlockSeqStart if block => self.block_sequence(start),
            T::BlockMapStart if block => self.block_mapping(start),
            _ if props.anchor.is_some() || props.tag.is_some() => {
                let scalar = Scalar::empty(start.at);
                self.scalar(scalar, &props, start.at, start.at)
            }
            _ => {
                self.complain(Some(node_start), "did not find expected node content", start);
                Node::null(start.at)
            }
        }
    }

    fn scalar(&mut self, scalar: Scalar, props: &Props, start: usize, end: usize) -> Node {
        let block = matches!(scalar.style, Style::Literal | Style::Folded);
        let written = &self.scanner.text[start..end];
        let end = if block { start + written.trim_end().len() } else { end };
        self.written = end;
        let span = Span::new(start, end);
        let value = match resolve::resolve(props.tag.as_deref().unwrap_or(""), scalar) {
            Ok(value) => value,
            Err(words) => {
                self.refuse(words, span);
                Value::Null
            }
        };
        Node { span, value }
    }

    fn block_sequence(&mut self, start: Mark) -> Node {
        self.scanner.take();
        let mut items = Vec::new();
        loop {
            let (t, at, end) = self.peek();
            match t {
                T::BlockEntry => {
                    self.scanner.take();
                    let next = self.peek().0;
                    let empty = matches!(next, T::BlockEntry | T::BlockEnd);
                    items.push(if empty { self.empty(end.at) } else { self.node(true, false) });
                }
                T::BlockEnd => {
                    self.scanner.take();
                    break;
                }
                _ => {
                    self.complain(Some(start), "did not find expected '-' indicator", at);
                    break;
                }
            }
        }
        self.sequence(start, items)
    }

    fn indentless_sequence(&mut self, start: Mark) -> Node {
        let mut items = Vec::new();
        while let (T::BlockEntry, _, end) = self.peek() {
            self.scanner.take();
            let next = self.peek().0;
            let empty = matches!(next, T::BlockEntry | T::Key | T::Value | T::BlockEnd);
            items.push(if empty { self.empty(end.at) } else { self.node(true, false) });
        }
        self.sequence(start, items)
    }

    fn block_mapping(&mut self, start: Mark) -> Node {
        self.scanner.take();
        let mut map = Map::default();
        loop {
            let (t, at, end) = self.peek();
            let key = match t {
                T::Key => {
                    self.scanner.take();
                    self.block_part(end)
                }
                T::BlockEnd => {
                    self.scanner.take();
                    break;
                }
                _ => {
                    self.complain(Some(start), "did not find expected key", at);
                    break;
                }
            };
            if self.scanner.complaint.is_some() {
                break;
            }
            let (t, at, end) = self.peek();
            let value = if t == T::Value {
                self.scanner.take();
                self.block_part(end)
            } else {
                self.empty(at.at)
            };
            self.put(&mut map, key, value);
        }
        map.node(start.at, self.written)
    }

    /// A key or value of a block mapping, perhaps empty.
    fn block_part(&mut self, after: Mark) -> Node {
        match self.peek().0 {
            T::Key | T::Value | T::BlockEnd => self.empty(after.at),
            _ => self.node(true, true),
        }
    }

    pub(super) fn sequence(&self, start: Mark, items: Vec<Node>) -> Node {
        Node { span: Span::new(start.at, self.written.max(start.at)), value: Value::Seq(items) }
    }

    pub(super) fn empty(&mut self, at: usize) -> Node {
        self.n_nodes += 1;
        self.written = self.written.max(at);
        Node::null(at)
    }

    /// Adds an entry as goyaml's decoder does: merged maps in place, later keys win.
    pub(super) fn put(&mut self, map: &mut Map, key: Node, value: Node) {
        if matches!(&key.value, Value::Str(s) if s.text == "<<" && s.style == Style::Plain) {
            self.merge(map, value);
            return;
        }
        let span = key.span;
        let key = match words::key(key.value, &value.value) {
            Ok(key) => key,
            Err(words) => return self.refuse(words, span),
        };
        let known = self.duplicates.len() < DUPLICATES_MAX;
        let name = known.then(|| key.clone());
        let first = map.put(Entry { key, key_span: span, value });
        if let (Some(key), Some(first)) = (name, first) {
            self.duplicates.push(Duplicate { key, first, second: span });
        }
    }

    fn merge(&mut self, map: &mut Map, value: Node) {
        let span = value.span;
        match value.value {
            Value::Map(entries) => map.merge(entries),
            Value::Seq(items) => {
                for item in items.into_iter().rev() {
                    match item.value {
                        Value::Map(entries) => map.merge(entries),
                        _ => self.refuse(WANT_MAP, item.span),
                    }
                }
            }
            _ => self.refuse(WANT_MAP, span),
        }
    }
}

const WANT_MAP: &str = "yaml: map merge requires map or sequence of maps as the value";
