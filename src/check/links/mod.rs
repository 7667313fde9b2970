//! Names of a manifest: where each is given and where it is used, over all documents. Answers what
//! the name under the cursor is, and renames it everywhere. `find` knows the places.

mod find;

use super::fix;
use crate::diagnostic::{Links, Renamed};
use crate::kube::names;
use crate::order::Order;
use crate::text::{Edit, Span};
use crate::yaml;

/// What a name is of, whom it belongs to, and the name: places with the same are one symbol.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Symbol {
    /// `volume`, `container`, `port`, `label`, `key`, or the kind of an object.
    what: String,
    /// A pod of the manifest, an object, a namespace: names differ within it.
    owner: String,
    name: String,
}

/// One place of a symbol.
#[derive(Clone, Debug)]
struct Place {
    symbol: Symbol,
    span: Span,
    is_definition: bool,
}

fn at_offset(text: &str, offset: usize) -> Option<(Symbol, Vec<Place>)> {
    let parsed = yaml::parse(text);
    let mut all = find::places(&super::objects(&parsed.docs));
    let here = |p: &&Place| p.span.start as usize <= offset && offset <= p.span.end as usize;
    let symbol = all.iter().find(here)?.symbol.clone();
    all.retain(|p| p.symbol.what == symbol.what && p.symbol.owner == symbol.owner);
    all.order_by_key(|p| (p.span.start, !p.is_definition));
    // What an alias repeats stands once.
    all.dedup_by_key(|p| p.span);
    Some((symbol, all))
}

/// The symbol at a byte offset: where it is given, and where it is used; None where no name stands.
pub(super) fn links(text: &str, offset: usize) -> Option<Links> {
    let (symbol, all) = at_offset(text, offset)?;
    let own = |is_definition: bool| {
        let own = all.iter().filter(|p| p.symbol == symbol && p.is_definition == is_definition);
        own.map(|p| p.span).collect()
    };
    let (definitions, uses) = (own(true), own(false));
    Some(Links { what: symbol.what, name: symbol.name, definitions, uses })
}

/// The edits that call the symbol at a byte offset `to`; a sentence where it cannot be.
pub(super) fn rename(text: &str, offset: usize, to: &str) -> Renamed {
    let Some((symbol, all)) = at_offset(text, offset) else {
        let problem = "Nothing that has a name stands here.".to_owned();
        return Renamed { edits: Vec::new(), problem };
    };
    let objections = objections(&symbol.what, to);
    if let Some(first) = objections.first() {
        let problem = format!("{:?} is no name for a {}: {first}", to, symbol.what);
        return Renamed { edits: Vec::new(), problem };
    }
    // Labels may well be alike; two of anything else may not.
    let taken = all.iter().any(|p| p.is_definition && p.symbol.name == to);
    if taken && symbol.what != "label" && symbol.name != to {
        let problem = format!("There is another {} called {to:?}.", symbol.what);
        return Renamed { edits: Vec::new(), problem };
    }
    let new = fix::scalar(to);
    let edit = |p: &Place| Edit { span: p.span, text: new.clone() };
    let edits = all.iter().filter(|p| p.symbol == symbol).map(edit).collect();
    Renamed { edits, problem: String::new() }
}

fn objections(what: &str, name: &str) -> Vec<String> {
    match what {
        "volume" | "container" | "service port" | "Service" | "Namespace" => names::label(name),
        "port" => names::port_name(name),
        "label" => names::label_value(name),
        "key" => names::config_key(name),
        _ => names::subdomain(name),
    }
}
