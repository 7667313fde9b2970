//! Where in `{ }` and `[ ]` a cursor stands, read from the brackets, commas and colons before it.
//! Not a YAML reader: half-typed text is the point of it.

/// What is open at the cursor.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Open<'a> {
    /// Keys from the outermost bracket down to the map or list the cursor is in.
    pub path: Vec<&'a str>,
    /// The key whose value is being typed; None while a key is.
    pub key: Option<&'a str>,
    /// Whether what is typed is an item of a list.
    pub in_list: bool,
    pub typed: &'a str,
    /// Byte offset at which `typed` begins.
    pub start: usize,
    /// Keys that stand before it in the same map.
    pub taken: Vec<&'a str>,
}

/// Brackets open at once; no manifest nests so deep.
const DEPTH_MAX: usize = 64;

struct Frame<'a> {
    is_map: bool,
    key: Option<&'a str>,
    taken: Vec<&'a str>,
}

/// Reads from the bracket at `start`: the offset behind its end, or what is open at the end of the
/// text; nothing where that is a quoted text, a comment or too deep.
pub(super) fn read(text: &str, start: usize) -> Result<usize, Option<Open<'_>>> {
    let mut frames: Vec<Frame> = Vec::new();
    // Where the word being read begins.
    let mut word = start;
    let mut quote: Option<char> = None;
    let mut comment = false;
    let mut before = ' ';
    for (at, ch) in text.char_indices().skip_while(|(at, _)| *at < start) {
        let last = std::mem::replace(&mut before, ch);
        if comment {
            comment = ch != '\n';
            word = at + 1;
            continue;
        }
        if let Some(end) = quote {
            if ch == end && last != '\\' {
                quote = None;
            }
            continue;
        }
        let written = text.get(word..at).unwrap_or("").trim();
        match ch {
            '"' | '\'' if written.is_empty() => quote = Some(ch),
            '#' if last.is_whitespace() => comment = true,
            '{' | '[' if written.is_empty() => {
                if frames.len() >= DEPTH_MAX {
                    return Err(None);
                }
                frames.push(Frame { is_map: ch == '{', key: None, taken: Vec::new() });
                word = at + 1;
            }
            '}' | ']' => {
                frames.pop();
                word = at + 1;
                if frames.is_empty() {
                    return Ok(word);
                }
            }
            ',' => {
                if let Some(frame) = frames.last_mut() {
                    frame.key = None;
                }
                word = at + 1;
            }
            ':' if !written.is_empty() && ends_key(text, at) => {
                let key = written.trim_matches(['"', '\'']);
                if let Some(frame) = frames.last_mut().filter(|f| f.is_map && f.key.is_none()) {
                    frame.key = Some(key);
                    frame.taken.push(key);
                    word = at + 1;
                }
            }
            _ => {}
        }
    }
    Err(if quote.is_some() || comment { None } else { open(text, &mut frames, word) })
}

/// A colon ends a key where a space or nothing follows.
fn ends_key(text: &str, at: usize) -> bool {
    text.get(at + 1..).and_then(|rest| rest.chars().next()).is_none_or(char::is_whitespace)
}

fn open<'a>(text: &'a str, frames: &mut Vec<Frame<'a>>, word: usize) -> Option<Open<'a>> {
    let mut last = frames.pop()?;
    let path = frames.iter().filter_map(|frame| frame.key).collect();
    let rest = text.get(word..)?;
    let typed = rest.trim_start();
    let start = word + (rest.len() - typed.len());
    let key = last.key;
    if key.is_some() {
        last.taken.clear();
    }
    Some(Open { path, key, in_list: !last.is_map, typed, start, taken: last.taken })
}
