//! Redis' sorted sets.

use super::lists::span;
use super::resp::Reply;
use super::store::{
    Bytes, Done, NOT_INTEGER, SYNTAX, Store, Value, WRONG_TYPE, bulk, error, float, integer, number,
};
use crate::order::Order;
use std::collections::BTreeMap;

impl Store {
    pub(super) fn sorted(&mut self, name: &str, args: &[Bytes]) -> Done {
        let key = args.first().filter(|_| name.starts_with('Z'))?;
        let rest = args.get(1..).unwrap_or(&[]);
        if matches!(name, "ZADD" | "ZINCRBY") {
            self.entry(key, || Value::Sorted(BTreeMap::new()));
        }
        let mut empty = BTreeMap::new();
        let set = match self.keys.get_mut(key).map(|entry| &mut entry.value) {
            None => &mut empty,
            Some(Value::Sorted(set)) => set,
            Some(_) => return Some(error(WRONG_TYPE)),
        };
        let reply = on_set(name, set, rest);
        self.drop_if_empty(key);
        reply
    }
}

fn on_set(name: &str, set: &mut BTreeMap<Bytes, f64>, rest: &[Bytes]) -> Done {
    Some(match (name, rest) {
        ("ZADD", [_, _, ..]) if rest.len().is_multiple_of(2) => add(set, rest),
        ("ZINCRBY", [by, member]) => match float(by) {
            None => error("ERR value is not a valid float"),
            Some(by) => {
                let score = set.entry(member.clone()).or_insert(0.0);
                *score += by;
                bulk(&number(*score))
            }
        },
        ("ZSCORE", [member]) => Reply::Bulk(set.get(member).map(|score| number(*score))),
        ("ZCARD", []) => Reply::Integer(set.len() as i64),
        ("ZREM", [_, ..]) => {
            let gone = rest.iter().filter(|member| set.remove(*member).is_some()).count();
            Reply::Integer(gone as i64)
        }
        ("ZRANK" | "ZREVRANK", [member]) => {
            let mut all = in_order(set);
            if name == "ZREVRANK" {
                all.reverse();
            }
            let place = all.iter().position(|(own, _)| own == member);
            place.map_or(Reply::Bulk(None), |place| Reply::Integer(place as i64))
        }
        _ => return in_ranges(name, set, rest),
    })
}

fn in_ranges(name: &str, set: &mut BTreeMap<Bytes, f64>, rest: &[Bytes]) -> Done {
    Some(match (name, rest) {
        ("ZRANGE" | "ZREVRANGE", [from, to, options @ ..]) => {
            range(set, name == "ZREVRANGE", from, to, options)
        }
        ("ZCOUNT" | "ZRANGEBYSCORE", [from, to, options @ ..]) => {
            let (Some(from), Some(to)) = (bound(from), bound(to)) else {
                return Some(error("ERR min or max is not a float"));
            };
            let above = |n: f64| if from.1 { n > from.0 } else { n >= from.0 };
            let below = |n: f64| if to.1 { n < to.0 } else { n <= to.0 };
            let mut all = in_order(set);
            all.retain(|(_, score)| above(*score) && below(*score));
            match name {
                "ZCOUNT" => Reply::Integer(all.len() as i64),
                _ => listed(&all, has(options, b"WITHSCORES")),
            }
        }
        ("ZPOPMIN" | "ZPOPMAX", []) => {
            let mut all = in_order(set);
            if name == "ZPOPMAX" {
                all.reverse();
            }
            all.truncate(1);
            for (member, _) in &all {
                set.remove(member);
            }
            listed(&all, true)
        }
        _ => return None,
    })
}

fn has(options: &[Bytes], word: &[u8]) -> bool {
    options.iter().any(|option| option.eq_ignore_ascii_case(word))
}

/// A limit and whether it is left out: `(5`.
fn bound(text: &[u8]) -> Option<(f64, bool)> {
    match text.strip_prefix(b"(") {
        Some(rest) => Some((float(rest)?, true)),
        None => Some((float(text)?, false)),
    }
}

fn in_order(set: &BTreeMap<Bytes, f64>) -> Vec<(Bytes, f64)> {
    let mut all: Vec<(Bytes, f64)> = set.iter().map(|(k, v)| (k.clone(), *v)).collect();
    all.order_by(|a, b| a.1.total_cmp(&b.1));
    all
}

fn listed(all: &[(Bytes, f64)], with_scores: bool) -> Reply {
    let each = |(member, score): &(Bytes, f64)| {
        let mut out = vec![bulk(member)];
        if with_scores {
            out.push(bulk(&number(*score)));
        }
        out
    };
    Reply::Array(all.iter().flat_map(each).collect())
}

fn add(set: &mut BTreeMap<Bytes, f64>, pairs: &[Bytes]) -> Reply {
    let scores: Option<Vec<f64>> = pairs.chunks_exact(2).map(|pair| float(&pair[0])).collect();
    let Some(scores) = scores else { return error("ERR value is not a valid float") };
    let members = pairs.chunks_exact(2).map(|pair| pair[1].clone());
    let new =
        members.zip(scores).filter(|(member, score)| set.insert(member.clone(), *score).is_none());
    Reply::Integer(new.count() as i64)
}

fn range(
    set: &BTreeMap<Bytes, f64>,
    reversed: bool,
    from: &[u8],
    to: &[u8],
    options: &[Bytes],
) -> Reply {
    let (Some(from), Some(to)) = (integer(from), integer(to)) else { return error(NOT_INTEGER) };
    let known: [&[u8]; 2] = [b"WITHSCORES", b"REV"];
    if options.iter().any(|option| !known.iter().any(|own| option.eq_ignore_ascii_case(own))) {
        return error(SYNTAX);
    }
    let mut all = in_order(set);
    if reversed || has(options, b"REV") {
        all.reverse();
    }
    let (from, n) = span(all.len(), from, to);
    listed(all.get(from..from + n).unwrap_or(&[]), has(options, b"WITHSCORES"))
}
