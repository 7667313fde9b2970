//! Redis' lists.

use super::resp::Reply;
use super::store::{Bytes, Done, NOT_INTEGER, Store, Value, WRONG_TYPE, bulk, error, integer, ok};
use std::collections::VecDeque;

/// Start and length of `from..to` in something of `len`; negative places count from the end.
pub(super) fn span(len: usize, from: i64, to: i64) -> (usize, usize) {
    let len = len as i64;
    let place = |n: i64| if n < 0 { len.saturating_add(n) } else { n };
    let (from, to) = (place(from).clamp(0, len), place(to).min(len - 1));
    (from as usize, (to - from + 1).max(0) as usize)
}

impl Store {
    pub(super) fn lists(&mut self, name: &str, args: &[Bytes]) -> Done {
        Some(match (name, args) {
            ("LPUSH" | "RPUSH" | "LPUSHX" | "RPUSHX", [key, items @ ..]) if !items.is_empty() => {
                match self.list(key, !name.ends_with('X')) {
                    Err(reply) => reply,
                    Ok(None) => Reply::Integer(0),
                    Ok(Some(list)) => {
                        for item in items {
                            match name.starts_with('L') {
                                true => list.push_front(item.clone()),
                                false => list.push_back(item.clone()),
                            }
                        }
                        Reply::Integer(list.len() as i64)
                    }
                }
            }
            ("LPOP" | "RPOP", [key]) => match self.pop(key, name == "LPOP") {
                Err(reply) => reply,
                Ok(item) => Reply::Bulk(item),
            },
            ("LPOP" | "RPOP", [key, n]) => {
                let Some(n) = integer(n).filter(|n| *n >= 0) else {
                    return Some(error("ERR value is out of range, must be positive"));
                };
                if !self.keys.contains_key(key) {
                    return Some(Reply::Array(Vec::new()));
                }
                let mut out = Vec::new();
                for _ in 0..n.min(10_000) {
                    match self.pop(key, name == "LPOP") {
                        Ok(Some(item)) => out.push(bulk(&item)),
                        Ok(None) => break,
                        Err(reply) => return Some(reply),
                    }
                }
                Reply::Array(out)
            }
            _ => return self.lists_whole(name, args),
        })
    }

    fn lists_whole(&mut self, name: &str, args: &[Bytes]) -> Done {
        Some(match (name, args) {
            ("RPOPLPUSH", [from, to]) => self.moved(from, to, false, true),
            ("LMOVE", [from, to, a, b]) => {
                let left = |word: &Bytes| word.eq_ignore_ascii_case(b"LEFT");
                self.moved(from, to, left(a), left(b))
            }
            ("LLEN", [key]) => match self.list(key, false) {
                Err(reply) => reply,
                Ok(list) => Reply::Integer(list.map_or(0, |list| list.len()) as i64),
            },
            ("LRANGE" | "LTRIM", [key, from, to]) => self.range(name, key, from, to),
            ("LINDEX", [key, idx]) => match (self.list(key, false), integer(idx)) {
                (Err(reply), _) => reply,
                (_, None) => error(NOT_INTEGER),
                (Ok(list), Some(idx)) => {
                    let item = list.and_then(|list| {
                        let idx = if idx < 0 { list.len() as i64 + idx } else { idx };
                        list.get(usize::try_from(idx).ok()?).cloned()
                    });
                    Reply::Bulk(item)
                }
            },
            ("LREM", [key, n, item]) => self.remove(key, n, item),
            _ => return None,
        })
    }

    /// Takes one item off; None where there is none.
    pub(super) fn pop(&mut self, key: &[u8], left: bool) -> Result<Option<Bytes>, Reply> {
        let list = self.list(key, false)?;
        let item = list.and_then(|list| if left { list.pop_front() } else { list.pop_back() });
        self.drop_if_empty(key);
        Ok(item)
    }

    fn moved(&mut self, from: &[u8], to: &[u8], from_left: bool, to_left: bool) -> Reply {
        match self.pop(from, from_left) {
            Err(reply) => reply,
            Ok(None) => Reply::Bulk(None),
            Ok(Some(item)) => match self.list(to, true) {
                Err(reply) => reply,
                Ok(list) => {
                    if let Some(list) = list {
                        match to_left {
                            true => list.push_front(item.clone()),
                            false => list.push_back(item.clone()),
                        }
                    }
                    bulk(&item)
                }
            },
        }
    }

    fn remove(&mut self, key: &[u8], n: &[u8], item: &[u8]) -> Reply {
        let Some(n) = integer(n) else { return error(NOT_INTEGER) };
        let mut gone = 0;
        match self.list(key, false) {
            Err(reply) => return reply,
            Ok(None) => {}
            Ok(Some(list)) => {
                let most = if n == 0 { i64::MAX } else { n.abs() };
                let mut items: Vec<Bytes> = list.drain(..).collect();
                if n < 0 {
                    items.reverse();
                }
                items.retain(|own| {
                    let goes = own == item && gone < most;
                    gone += i64::from(goes);
                    !goes
                });
                if n < 0 {
                    items.reverse();
                }
                list.extend(items);
            }
        }
        self.drop_if_empty(key);
        Reply::Integer(gone)
    }

    /// The list at a key; None where there is none and none is to be made.
    fn list(&mut self, key: &[u8], make: bool) -> Result<Option<&mut VecDeque<Bytes>>, Reply> {
        if !make && !self.keys.contains_key(key) {
            return Ok(None);
        }
        match &mut self.entry(key, || Value::List(VecDeque::new())).value {
            Value::List(list) => Ok(Some(list)),
            _ => Err(error(WRONG_TYPE)),
        }
    }

    /// An empty collection is no key.
    pub(super) fn drop_if_empty(&mut self, key: &[u8]) {
        let empty = match self.value(key) {
            Some(Value::List(list)) => list.is_empty(),
            Some(Value::Set(set)) => set.is_empty(),
            Some(Value::Hash(hash)) => hash.is_empty(),
            Some(Value::Sorted(set)) => set.is_empty(),
            _ => false,
        };
        if empty {
            self.keys.remove(key);
        }
    }

    fn range(&mut self, name: &str, key: &[u8], from: &[u8], to: &[u8]) -> Reply {
        let (Some(from), Some(to)) = (integer(from), integer(to)) else {
            return error(NOT_INTEGER);
        };
        let reply = match self.list(key, false) {
            Err(reply) => reply,
            Ok(None) if name == "LTRIM" => ok(),
            Ok(None) => Reply::Array(Vec::new()),
            Ok(Some(list)) => {
                let (from, n) = span(list.len(), from, to);
                if name == "LTRIM" {
                    list.truncate(from + n);
                    list.drain(..from.min(list.len()));
                    ok()
                } else {
                    Reply::Array(list.iter().skip(from).take(n).map(|item| bulk(item)).collect())
                }
            }
        };
        self.drop_if_empty(key);
        reply
    }
}
