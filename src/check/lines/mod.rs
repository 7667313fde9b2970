//! Where in a manifest a line stands, read from indentation alone, so that it works in text that
//! no YAML reader takes; inside `{ }` and `[ ]` from brackets, commas and colons (`brackets`).

mod brackets;

/// Lines looked at above the cursor; far more than any manifest has.
const LINES_MAX: usize = 20_000;

/// What the cursor is in the middle of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place<'a> {
    /// Keys from the root down to the map or list the cursor is in.
    pub path: Vec<&'a str>,
    /// The key whose value is being typed; None while a key is.
    pub key: Option<&'a str>,
    /// What is typed so far, up to the cursor.
    pub typed: &'a str,
    /// Byte offset at which `typed` begins.
    pub start: usize,
    /// Column of the key being typed, in bytes.
    pub column: usize,
    /// Whether it stands in `{ }` or `[ ]`.
    pub flow: bool,
    /// Keys that already stand in the same map.
    pub taken: Vec<&'a str>,
    /// `apiVersion` and `kind` of the document.
    pub api_version: &'a str,
    pub kind: &'a str,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Item,
}

struct Stack<'a> {
    steps: Vec<(usize, Step<'a>)>,
    /// Keys of each open map, by column.
    maps: Vec<(usize, Vec<&'a str>)>,
}

impl<'a> Stack<'a> {
    /// Closes all that ends where something begins at `column`.
    fn close(&mut self, column: usize, is_item: bool) {
        let ends = |(at, step): &(usize, Step)| match step {
            Step::Key(_) => *at > column || *at == column && !is_item,
            Step::Item => *at >= column,
        };
        while self.steps.last().is_some_and(ends) {
            self.steps.pop();
        }
        while self.maps.last().is_some_and(|(at, _)| *at > column || is_item && *at == column) {
            // A list may stand at its key's own column: that map goes on.
            let own = self.steps.last().is_some_and(|(at, _)| {
                is_item && *at == column && self.maps.last().is_some_and(|(m, _)| m == at)
            });
            if own {
                break;
            }
            self.maps.pop();
        }
    }

    fn key(&mut self, column: usize, key: &'a str) {
        self.close(column, false);
        match self.maps.last_mut() {
            Some((at, keys)) if *at == column => keys.push(key),
            _ => self.maps.push((column, vec![key])),
        }
        self.steps.push((column, Step::Key(key)));
    }

    fn path(&self) -> Vec<&'a str> {
        let key = |(_, step): &(usize, Step<'a>)| match step {
            Step::Key(key) => Some(*key),
            Step::Item => None,
        };
        self.steps.iter().filter_map(key).collect()
    }

    /// Takes the dashes a line begins with; gives the column and text of the rest.
    fn dashes(&mut self, mut column: usize, mut rest: &'a str) -> (usize, &'a str) {
        while let Some(after) = rest.strip_prefix('-') {
            if !after.is_empty() && !after.starts_with(' ') {
                break;
            }
            self.close(column, true);
            self.steps.push((column, Step::Item));
            let inner = after.trim_start_matches(' ');
            column += 1 + (after.len() - inner.len());
            rest = inner;
        }
        (column, rest)
    }
}

/// `key: value` of a line, the key without quotes.
fn split(rest: &str) -> Option<(&str, &str)> {
    let (key, value) = match rest.split_once(": ") {
        Some(parts) => parts,
        None => (rest.trim_end().strip_suffix(':')?, ""),
    };
    let key = key.trim().trim_matches(['"', '\'']);
    (!key.is_empty() && !key.contains([' ', '{', '['])).then_some((key, value.trim()))
}

/// The place of `offset`; None in a comment, a script or a quoted text.
pub(super) fn place(text: &str, offset: usize) -> Option<Place<'_>> {
    let upto = text.get(..offset)?;
    let line_start = upto.rfind('\n').map_or(0, |i| i + 1);
    let above = text.get(..line_start)?;
    let doc_start = above.rfind("\n---").map_or(0, |i| i + 1);
    let doc = doc_of(text, doc_start);
    let (api_version, kind) = (top(doc, "apiVersion"), top(doc, "kind"));
    let mut stack = Stack { steps: Vec::new(), maps: Vec::new() };
    let script = match walk(&mut stack, upto, doc_start, line_start) {
        Ok(script) => script,
        Err(open) => return in_flow(&stack, open?, api_version, kind),
    };
    let line = upto.get(line_start..)?;
    let bare = line.trim_start_matches(' ');
    let column = line.len() - bare.len();
    if script.is_some_and(|at| column > at || bare.is_empty()) || bare.starts_with('#') {
        return None;
    }
    let (column, rest) = stack.dashes(column, bare);
    let start = line_start + (line.len() - rest.len());
    if rest.starts_with(['{', '[']) {
        let Err(open) = brackets::read(upto, start) else { return None };
        return in_flow(&stack, open?, api_version, kind);
    }
    if let Some((key, _)) = split(rest).filter(|_| rest.contains(": ") || rest.ends_with(':')) {
        stack.key(column, key);
        let typed = rest.split_once(": ").map_or("", |(_, v)| v.trim_start());
        let start = offset - typed.len();
        if typed.starts_with(['{', '[']) {
            let Err(open) = brackets::read(upto, start) else { return None };
            return in_flow(&stack, open?, api_version, kind);
        }
        let mut path = stack.path();
        path.pop();
        let (key, flow, taken) = (Some(key), false, Vec::new());
        return Some(Place { path, key, typed, start, column, flow, taken, api_version, kind });
    }
    stack.close(column, false);
    let mut taken = match stack.maps.last() {
        Some((at, keys)) if *at == column => keys.clone(),
        _ => Vec::new(),
    };
    taken.extend(below(text, offset, column));
    let (path, key, flow, typed) = (stack.path(), None, false, rest);
    Some(Place { path, key, typed, start, column, flow, taken, api_version, kind })
}

/// Takes the lines from `start` up to the cursor's: the column of the script the cursor is in, if
/// it is in one; or what of brackets is open at the cursor.
fn walk<'a>(
    stack: &mut Stack<'a>,
    upto: &'a str,
    mut start: usize,
    line_start: usize,
) -> Result<Option<usize>, Option<brackets::Open<'a>>> {
    let mut script: Option<usize> = None;
    // Where brackets of several lines end.
    let mut skip_to = 0;
    let above = upto.get(start..line_start).unwrap_or("");
    for line in above.split_inclusive('\n').take(LINES_MAX) {
        let at = start;
        start += line.len();
        if at < skip_to {
            continue;
        }
        let opened = step(stack, &mut script, line.trim_end_matches(['\n', '\r']));
        if let Some(column) = opened {
            skip_to = brackets::read(upto, at + column)?;
        }
    }
    if skip_to > line_start { Err(None) } else { Ok(script) }
}

/// A place inside brackets that hang below the stack's last key.
fn in_flow<'a>(
    stack: &Stack<'a>,
    open: brackets::Open<'a>,
    api_version: &'a str,
    kind: &'a str,
) -> Option<Place<'a>> {
    let mut path = stack.path();
    path.extend(&open.path);
    let key = match open.in_list {
        // An item of a list is a value of the list's key.
        true => Some(path.pop()?),
        false => open.key,
    };
    let brackets::Open { typed, start, taken, .. } = open;
    Some(Place { path, key, typed, start, column: 0, flow: true, taken, api_version, kind })
}

/// Takes one line; gives the column at which a `{` or `[` begins in it.
fn step<'a>(stack: &mut Stack<'a>, script: &mut Option<usize>, line: &'a str) -> Option<usize> {
    let bare = line.trim_start_matches(' ');
    let column = line.len() - bare.len();
    if bare.trim().is_empty() || bare.starts_with("---") && column == 0 {
        return None;
    }
    if script.is_some_and(|at| column > at) {
        return None;
    }
    *script = None;
    if bare.starts_with('#') {
        return None;
    }
    let outer = column;
    let (column, rest) = stack.dashes(column, bare);
    if let Some((key, value)) = split(rest) {
        stack.key(column, key);
        if value.starts_with(['|', '>']) {
            *script = Some(column);
        }
        if value.starts_with(['{', '[']) {
            return line.find(value);
        }
    } else if rest.starts_with(['|', '>']) {
        *script = Some(outer);
    } else if rest.starts_with(['{', '[']) {
        return Some(line.len() - rest.len());
    }
    None
}

/// Keys at `column` on the lines after the cursor's, as long as its map goes on.
fn below(text: &str, offset: usize, column: usize) -> Vec<&str> {
    let rest = text.get(offset..).unwrap_or("");
    let mut keys = Vec::new();
    for line in rest.lines().skip(1).take(LINES_MAX) {
        let bare = line.trim_start_matches(' ');
        let at = line.len() - bare.len();
        if bare.trim().is_empty() || at > column {
            continue;
        }
        if at < column || bare.starts_with('-') {
            break;
        }
        keys.extend(split(bare).map(|(key, _)| key));
    }
    keys
}

fn doc_of(text: &str, start: usize) -> &str {
    let doc = text.get(start..).unwrap_or("");
    let skip = doc.find('\n').map_or(doc.len(), |i| i + 1);
    let end = doc.get(skip..).and_then(|d| d.find("\n---")).map_or(doc.len(), |i| skip + i);
    doc.get(..end).unwrap_or(doc)
}

/// The value of a key in the first column.
fn top<'a>(doc: &'a str, key: &str) -> &'a str {
    let found = doc.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix(':'));
    let value = found.map_or("", |v| v.split(" #").next().unwrap_or(v));
    value.trim().trim_matches(['"', '\''])
}
