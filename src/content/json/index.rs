//! Where things are in a JSON text: built on demand, asked by source offset.

use super::{
    unescape,
    walk::{Nest, Visit, walk},
};
use crate::content::{
    escape::{Role, Slot, Style},
    place::{is_blank, readable},
};
use std::{borrow::Cow, fmt::Write as _, ops::Range};

/// Every container, key and value of a JSON text, in the order of their starts.
pub(in crate::content) struct Index {
    nodes: Vec<Node>,
    /// Values at the top.
    values: u32,
}

/// Kept small: a hostile body is mostly structure.
#[derive(Clone, Copy)]
struct Node {
    start: u32,
    end: u32,
    /// Index of the enclosing container; its own index at the top.
    parent: u32,
    /// The offset of its key's quote in an object, its index in an array or at the top.
    step: u32,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Object,
    Array,
    Key,
    String,
    Scalar,
}

impl Index {
    /// The index of `source`; `None` if that is not valid JSON, or beyond 4 GiB.
    pub(in crate::content) fn of(source: &str) -> Option<Self> {
        u32::try_from(source.len()).ok()?;
        let mut builder = Builder::default();
        walk(source, &mut builder)?;
        Some(Self { nodes: builder.nodes, values: builder.values })
    }

    /// `$.messages[0].content` for a span in that value, `$.messages[0] (key)` for one in a key there. Names that may
    /// themselves be confidential show as `*`.
    pub(in crate::content) fn path(&self, source: &[u8], span: Range<usize>) -> String {
        const LEVELS: usize = 24;
        let mut steps = Vec::new();
        let mut at = self.innermost(span.start);
        let in_key = at.and_then(|at| self.node(at)).is_some_and(|node| node.kind == Kind::Key);
        if in_key {
            at = at.and_then(|at| self.parent(at));
        }
        while let Some(parent) = at.and_then(|at| self.parent(at)) {
            steps.extend(at.and_then(|at| self.node(at)).map(|node| self.step(source, node, parent)));
            at = Some(parent);
            if steps.len() > LEVELS {
                steps.push("…".to_owned());
                break;
            }
        }
        let mut path = String::new();
        if self.values > 1
            && let Some(top) = at.and_then(|at| self.node(at)).filter(|_| steps.len() <= LEVELS)
        {
            let _ = write!(path, "value {}: ", top.step + 1);
        }
        path.push('$');
        path.extend(steps.iter().rev().map(String::as_str));
        if in_key {
            path.push_str(" (key)");
        }
        path
    }

    fn step(&self, source: &[u8], node: Node, parent: u32) -> String {
        match self.node(parent).map(|parent| parent.kind) {
            Some(Kind::Object) => match readable(&self.key_of(source, node)) {
                Some(name) => format!(".{name}"),
                None => "[*]".to_owned(),
            },
            _ => format!("[{}]", node.step),
        }
    }

    /// The key of the member, the member's value being `node`, decoded.
    fn key_of(&self, source: &[u8], node: Node) -> String {
        let key = self.nodes.binary_search_by_key(&node.step, |node| node.start).ok().and_then(|at| self.nodes.get(at));
        key.map(|key| unescaped(source, inside(*key)).into_owned()).unwrap_or_default()
    }

    /// The key of the member whose value (a string, number or literal, or one in an array there) holds `span`, and whether
    /// the span is all of the value.
    pub(in crate::content) fn field(&self, source: &[u8], span: Range<usize>) -> Option<(String, bool)> {
        let at = self.innermost(span.start)?;
        let value = self.node(at).filter(|node| matches!(node.kind, Kind::String | Kind::Scalar))?;
        let inside = inside(value);
        if span.end > inside.end || span.start < inside.start {
            return None;
        }
        let blank = |range: Range<usize>| is_blank(&unescaped(source, range));
        let whole = blank(inside.start..span.start) && blank(span.end..inside.end);
        let mut at = at;
        while let Some(parent) = self.parent(at) {
            if self.node(parent)?.kind == Kind::Object {
                return Some((self.key_of(source, self.node(at)?), whole));
            }
            at = parent;
        }
        None
    }

    /// The insides of the values that are strings, in order.
    pub(in crate::content) fn strings(&self) -> impl Iterator<Item = Range<usize>> {
        self.nodes.iter().filter(|node| node.kind == Kind::String).map(|node| inside(*node))
    }

    /// What of `span` may be replaced: the insides of strings, and whole numbers and literals.
    pub(in crate::content) fn slots(&self, span: Range<usize>) -> Vec<Slot> {
        let first = self.nodes.partition_point(|node| place(node.start) <= span.start).saturating_sub(1);
        let mut slots = Vec::new();
        for node in self.nodes.iter().skip(first).take_while(|node| place(node.start) < span.end) {
            let (role, style) = match node.kind {
                Kind::Object | Kind::Array => continue,
                Kind::Key => (Role::Key, Style::JsonString),
                Kind::String => (Role::Value, Style::JsonString),
                Kind::Scalar => (Role::Value, Style::JsonScalar),
            };
            let inside = inside(*node);
            let range = match style {
                Style::JsonScalar => inside.clone(),
                _ => inside.start.max(span.start)..inside.end.min(span.end),
            };
            if range.start < range.end && range.start < span.end && span.start < range.end {
                slots.push(Slot { range, role, style });
            }
        }
        slots
    }

    /// The innermost node that holds source offset `at`.
    fn innermost(&self, at: usize) -> Option<u32> {
        let last = self.nodes.partition_point(|node| place(node.start) <= at).checked_sub(1)?;
        let mut node = u32::try_from(last).ok()?;
        while place(self.node(node)?.end) <= at {
            node = self.parent(node)?;
        }
        Some(node)
    }

    fn node(&self, at: u32) -> Option<Node> {
        self.nodes.get(place(at)).copied()
    }

    fn parent(&self, at: u32) -> Option<u32> {
        self.node(at).map(|node| node.parent).filter(|parent| *parent != at)
    }
}

/// What of a node is its value: a string without its quotes.
fn inside(node: Node) -> Range<usize> {
    match node.kind {
        Kind::Key | Kind::String => place(node.start) + 1..place(node.end) - 1,
        Kind::Object | Kind::Array | Kind::Scalar => place(node.start)..place(node.end),
    }
}

/// A stretch of the source, which is UTF-8 as a whole, unescaped.
fn unescaped(source: &[u8], range: Range<usize>) -> Cow<'_, str> {
    unescape(source.get(range).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()).0
}

fn place(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    /// Open containers: index of the node, and what the next member or element is called.
    open: Vec<(u32, u32)>,
    values: u32,
}

impl Builder {
    fn add(&mut self, range: Range<usize>, kind: Kind) -> u32 {
        // The whole text is within u32 and a node takes at least a byte of it.
        let cut = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let index = cut(self.nodes.len());
        let (start, end) = (cut(range.start), cut(range.end));
        let (parent, step) = match self.open.last_mut() {
            Some((parent, next)) => {
                if kind == Kind::Key {
                    *next = start;
                }
                let step = *next;
                if self.nodes.get(place(*parent)).is_some_and(|parent| parent.kind == Kind::Array) {
                    *next += 1;
                }
                (*parent, step)
            }
            None => {
                self.values += 1;
                (index, self.values - 1)
            }
        };
        self.nodes.push(Node { start, end, parent, step, kind });
        index
    }
}

impl Visit for Builder {
    fn open(&mut self, at: usize, nest: Nest) {
        let kind = match nest {
            Nest::Object => Kind::Object,
            Nest::Array => Kind::Array,
        };
        let index = self.add(at..at, kind);
        self.open.push((index, 0));
    }

    fn close(&mut self, end: usize) {
        if let Some((index, _)) = self.open.pop()
            && let Some(node) = self.nodes.get_mut(place(index))
        {
            node.end = u32::try_from(end).unwrap_or(u32::MAX);
        }
    }

    fn key(&mut self, token: Range<usize>) {
        self.add(token, Kind::Key);
    }

    fn string(&mut self, token: Range<usize>) {
        self.add(token, Kind::String);
    }

    fn scalar(&mut self, token: Range<usize>) {
        self.add(token, Kind::Scalar);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str =
        r#"{"model":"x","messages":[{"role":"user","content":"my key is KEY"},{"n":4111}],"a b":{"ghp_0123456789":" T\n"}}"#;

    fn span(needle: &str) -> Range<usize> {
        let start = SOURCE.find(needle).expect("needle");
        start..start + needle.len()
    }

    #[test]
    fn paths_are_those_of_the_field() {
        let index = Index::of(SOURCE).expect("index");
        assert_eq!(index.path(SOURCE.as_bytes(), span("KEY")), "$.messages[0].content");
        assert_eq!(index.path(SOURCE.as_bytes(), span("4111")), "$.messages[1].n");
        assert_eq!(index.path(SOURCE.as_bytes(), span("role")), "$.messages[0] (key)");
    }

    #[test]
    fn several_values_are_counted() {
        let lines = "{\"a\":1}\n{\"b\":\"x\"}\n";
        assert_eq!(Index::of(lines).expect("index").path(lines.as_bytes(), 13..14), "value 2: $.b");
    }

    #[test]
    fn a_name_that_may_be_confidential_is_not_shown() {
        assert_eq!(Index::of(SOURCE).expect("index").path(SOURCE.as_bytes(), span("T\\n")), "$[*][*]");
    }

    #[test]
    fn a_field_knows_whether_the_span_is_all_of_it() {
        let index = Index::of(SOURCE).expect("index");
        assert_eq!(index.field(SOURCE.as_bytes(), span("KEY")), Some(("content".to_owned(), false)));
        assert_eq!(index.field(SOURCE.as_bytes(), span("T")), Some(("ghp_0123456789".to_owned(), true)));
        assert_eq!(index.field(SOURCE.as_bytes(), span("4111")), Some(("n".to_owned(), true)));
        assert_eq!(index.field(SOURCE.as_bytes(), span("role")), None);
    }

    #[test]
    fn a_span_across_tokens_is_cut_to_what_may_be_replaced() {
        let index = Index::of(SOURCE).expect("index");
        let start = span("user").start + 2;
        let slots = index.slots(start..span("my").end);
        let texts: Vec<_> = slots.iter().map(|slot| (&SOURCE[slot.range.clone()], slot.role)).collect();
        assert_eq!(texts, [("er", Role::Value), ("content", Role::Key), ("my", Role::Value)]);
        assert_eq!(index.slots(span("},{")), []);
        let digits = span("11");
        assert_eq!(&SOURCE[index.slots(digits)[0].range.clone()], "4111", "numbers go as a whole");
    }
}
