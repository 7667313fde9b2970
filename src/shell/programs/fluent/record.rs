//! Log records: keys in order with values as JSON text.

/// A record; values are kept as the JSON they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Record {
    pub(super) fields: Vec<(String, String)>,
    /// Microseconds since 1970.
    pub(super) time: i64,
}

/// Text as a JSON string.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A JSON value as plain text: strings without their quotes.
pub(super) fn plain(json: &str) -> String {
    let Some(inner) = json.strip_prefix('"').and_then(|j| j.strip_suffix('"')) else {
        return json.to_owned();
    };
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('u') => {
                let code: String = chars.by_ref().take(4).collect();
                out.extend(u32::from_str_radix(&code, 16).ok().and_then(char::from_u32));
            }
            Some(c) => out.push(c),
            None => {}
        }
    }
    out
}

/// Where the JSON value at the start of `text` ends.
fn value_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut inside) = (0_u32, false);
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if inside => at += 1,
            b'"' => {
                inside = !inside;
                if !inside && depth == 0 {
                    return Some(at + 1);
                }
            }
            _ if inside => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return Some(at),
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b',' if depth == 0 => return Some(at),
            _ => {}
        }
        at += 1;
    }
    (depth == 0 && !inside && at > 0).then_some(at)
}

fn is_scalar(text: &str) -> bool {
    matches!(text, "true" | "false" | "null")
        || text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c))
}

/// The fields of a JSON object; nothing when it is none.
pub(super) fn object(text: &str) -> Option<Vec<(String, String)>> {
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let end = value_end(rest).filter(|_| rest.starts_with('"'))?;
        let key = plain(&rest[..end]);
        rest = rest[end..].trim_start().strip_prefix(':')?.trim_start();
        let end = value_end(rest)?;
        let value = rest[..end].trim();
        if !value.starts_with(['"', '{', '[']) && !is_scalar(value) {
            return None;
        }
        fields.push((key, value.to_owned()));
        rest = rest[end..].trim_start();
        if let Some(more) = rest.strip_prefix(',') {
            rest = more.trim_start();
        } else if !rest.is_empty() {
            return None;
        }
    }
    Some(fields)
}

impl Record {
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let key = key.trim_start_matches('$');
        self.fields.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str())
    }

    pub(super) fn set(&mut self, key: &str, json: String) {
        match self.fields.iter_mut().find(|(own, _)| own == key) {
            Some((_, value)) => *value = json,
            None => self.fields.push((key.to_owned(), json)),
        }
    }

    pub(super) fn remove(&mut self, key: &str) {
        self.fields.retain(|(own, _)| own != key);
    }

    pub(super) fn json(&self) -> String {
        let pairs = self.fields.iter().map(|(key, value)| format!("{}:{value}", quote(key)));
        format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
    }

    /// Seconds with this many digits behind the point.
    pub(super) fn seconds(&self, digits: usize) -> String {
        let part = format!("{:06}000", self.time.rem_euclid(1_000_000));
        format!("{}.{}", self.time.div_euclid(1_000_000), part.get(..digits).unwrap_or(&part))
    }

    /// `{"a"=>"b", "n"=>1}`, as Fluent Bit shows what it holds.
    pub(super) fn arrows(&self) -> String {
        arrows(&self.json())
    }
}

/// JSON with `=>` for `:` and a space after each comma.
fn arrows(json: &str) -> String {
    let mut out = String::new();
    let (mut inside, mut escaped) = (false, false);
    for c in json.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if inside => escaped = true,
            '"' => inside = !inside,
            ':' if !inside => {
                out.push_str("=>");
                continue;
            }
            ',' if !inside => {
                out.push_str(", ");
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    out
}
