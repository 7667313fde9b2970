//! What Redis writes to disk: `dump.rdb` in its own binary form, as far as the lab has kinds of
//! values, and the append-only file, which is commands one after the other.

use super::store::{Store, Value};
use std::collections::VecDeque;

const HEAD: &[u8] = b"REDIS0012";

/// The whole data set as an RDB file.
pub(super) fn dump(store: &Store) -> Vec<u8> {
    let mut out = HEAD.to_vec();
    for (name, value) in [("redis-ver", super::server::VERSION), ("redis-bits", "64")] {
        out.push(0xFA);
        text(&mut out, name.as_bytes());
        text(&mut out, value.as_bytes());
    }
    if !store.keys.is_empty() {
        out.extend([0xFE, 0, 0xFB]);
        length(&mut out, store.keys.len());
        length(&mut out, store.keys.values().filter(|e| e.expires.is_some()).count());
    }
    for (key, entry) in &store.keys {
        if let Some(at) = entry.expires {
            out.push(0xFC);
            out.extend(at.to_le_bytes());
        }
        let kind = match &entry.value {
            Value::Text(_) => 0,
            Value::List(_) => 1,
            Value::Set(_) => 2,
            Value::Hash(_) => 4,
            Value::Sorted(_) => 5,
        };
        out.push(kind);
        text(&mut out, key);
        match &entry.value {
            Value::Text(value) => text(&mut out, value),
            Value::List(list) => {
                length(&mut out, list.len());
                list.iter().for_each(|item| text(&mut out, item));
            }
            Value::Set(set) => {
                length(&mut out, set.len());
                set.iter().for_each(|item| text(&mut out, item));
            }
            Value::Hash(hash) => {
                length(&mut out, hash.len());
                for (field, value) in hash {
                    text(&mut out, field);
                    text(&mut out, value);
                }
            }
            Value::Sorted(set) => {
                length(&mut out, set.len());
                for (member, score) in set {
                    text(&mut out, member);
                    out.extend(score.to_le_bytes());
                }
            }
        }
    }
    // A checksum of zero says that there is none.
    out.push(0xFF);
    out.extend([0; 8]);
    out
}

fn length(out: &mut Vec<u8>, n: usize) {
    match n {
        0..0x40 => out.push(n as u8),
        0x40..0x4000 => out.extend([0x40 | (n >> 8) as u8, n as u8]),
        _ => {
            out.push(0x80);
            out.extend((n as u32).to_be_bytes());
        }
    }
}

fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    length(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Reads an RDB file into `store`; None where it is not one of ours.
pub(super) fn load(data: &[u8], store: &mut Store) -> Option<()> {
    let mut at = Source { data: data.strip_prefix(b"REDIS")?.get(4..)? };
    let mut expires = None;
    loop {
        match at.byte()? {
            0xFF => return Some(()),
            0xFA => {
                at.text()?;
                at.text()?;
            }
            0xFE => drop(at.length()?),
            0xFB => {
                at.length()?;
                at.length()?;
            }
            0xFC => expires = Some(i64::from_le_bytes(at.take(8)?.try_into().ok()?)),
            kind => {
                let key = at.text()?;
                let value = at.value(kind)?;
                store.put_value(&key, value, expires.take());
            }
        }
    }
}

struct Source<'a> {
    data: &'a [u8],
}

impl<'a> Source<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (own, rest) = self.data.split_at_checked(n)?;
        self.data = rest;
        Some(own)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn length(&mut self) -> Option<usize> {
        let first = self.byte()?;
        match first >> 6 {
            0 => Some(usize::from(first)),
            1 => Some(usize::from(first & 0x3F) << 8 | usize::from(self.byte()?)),
            2 => Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?) as usize),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<Vec<u8>> {
        let n = self.length()?;
        self.take(n).map(<[u8]>::to_vec)
    }

    fn value(&mut self, kind: u8) -> Option<Value> {
        if kind == 0 {
            return Some(Value::Text(self.text()?));
        }
        let n = self.length()?;
        let each = 0..n;
        Some(match kind {
            1 => Value::List(each.map(|_| self.text()).collect::<Option<VecDeque<_>>>()?),
            2 => Value::Set(each.map(|_| self.text()).collect::<Option<_>>()?),
            4 => Value::Hash(
                each.map(|_| Some((self.text()?, self.text()?))).collect::<Option<_>>()?,
            ),
            5 => {
                let one = |at: &mut Source| {
                    let member = at.text()?;
                    Some((member, f64::from_le_bytes(at.take(8)?.try_into().ok()?)))
                };
                Value::Sorted(each.map(|_| one(self)).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let mut store = Store::default();
        let run = |store: &mut Store, words: &str| {
            let words: Vec<Vec<u8>> = words.split(' ').map(|w| w.as_bytes().to_vec()).collect();
            let name = String::from_utf8_lossy(&words[0]).into_owned();
            store.run(&name, &words[1..], 1_000).expect("simulated")
        };
        let long = "x".repeat(20_000);
        for line in ["SET a 1", "RPUSH l 1 2 3", "SADD s x y", "HSET h f v", "ZADD z 1.5 m"] {
            run(&mut store, line);
        }
        run(&mut store, &format!("SET long {long} PX 5000"));
        let data = dump(&store);
        let mut again = Store::default();
        assert!(load(&data, &mut again).is_some());
        assert_eq!(dump(&again), data);
        assert!(load(&data[..data.len() - 20], &mut Store::default()).is_none());
    }
}
