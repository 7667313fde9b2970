//! Lists in brackets and maps in braces.
//!
//! Models go.yaml.in/yaml/v2 parserc.go `yaml_parser_parse_flow_*`.

use super::Node;
use super::build::Builder;
use super::map::Map;
use super::mark::{Mark, T};

impl Builder<'_> {
    /// Steps to the next entry of a flow collection; false at its end or at a problem.
    fn next_in_flow(&mut self, start: Mark, close: T, first: bool) -> bool {
        let (mut t, at, mut end) = self.peek();
        if t != close && !first {
            if t != T::FlowEntry {
                let problem = match close {
                    T::FlowSeqEnd => "did not find expected ',' or ']'",
                    _ => "did not find expected ',' or '}'",
                };
                self.complain(Some(start), problem, at);
                return false;
            }
            self.scanner.take();
            (t, _, end) = self.peek();
        }
        if t == close {
            self.scanner.take();
            self.written = end.at;
        }
        t != close && t != T::Fail
    }

    pub(super) fn flow_sequence(&mut self, start: Mark) -> Node {
        self.scanner.take();
        let mut items = Vec::new();
        while self.next_in_flow(start, T::FlowSeqEnd, items.is_empty()) {
            let (t, at, _) = self.peek();
            if t == T::Key {
                self.scanner.take();
                items.push(self.flow_pair(at));
            } else {
                items.push(self.node(false, false));
            }
        }
        self.sequence(start, items)
    }

    /// `[a: b]` is a list of one map.
    fn flow_pair(&mut self, start: Mark) -> Node {
        let mut map = Map::default();
        let (t, _, end) = self.peek();
        let key = if matches!(t, T::Value | T::FlowEntry | T::FlowSeqEnd) {
            // goyaml steps over this token, whatever it is.
            self.scanner.take();
            self.empty(end.at)
        } else {
            self.node(false, false)
        };
        let value = self.flow_value(T::FlowSeqEnd);
        self.put(&mut map, key, value);
        map.node(start.at, self.written)
    }

    fn flow_value(&mut self, close: T) -> Node {
        let (mut t, mut at, _) = self.peek();
        if t == T::Value {
            self.scanner.take();
            (t, at, _) = self.peek();
            if t != T::FlowEntry && t != close {
                return self.node(false, false);
            }
        }
        self.empty(at.at)
    }

    pub(super) fn flow_mapping(&mut self, start: Mark) -> Node {
        self.scanner.take();
        let (mut map, mut first) = (Map::default(), true);
        while self.next_in_flow(start, T::FlowMapEnd, first) {
            first = false;
            let with_value = self.peek().0 == T::Key;
            let key = if with_value {
                self.scanner.take();
                let (t, at, _) = self.peek();
                match t {
                    T::Value | T::FlowEntry | T::FlowMapEnd => self.empty(at.at),
                    _ => self.node(false, false),
                }
            } else {
                self.node(false, false)
            };
            if self.scanner.complaint.is_some() {
                break;
            }
            let value = match with_value {
                true => self.flow_value(T::FlowMapEnd),
                false => self.empty(key.span.end as usize),
            };
            self.put(&mut map, key, value);
        }
        map.node(start.at, self.written)
    }
}
