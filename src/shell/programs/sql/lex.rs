//! Words of SQL, and where statements end.

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name or keyword; `true` when it was quoted.
    Word(String, bool),
    Number(String),
    Text(String),
    /// Operators and punctuation.
    Sign(String),
}

/// A token and the byte it begins at.
pub(super) type Placed = (Token, usize);

pub(super) fn tokens(sql: &str) -> Vec<Placed> {
    let chars: Vec<(usize, char)> = sql.char_indices().collect();
    let mut out = Vec::new();
    let mut i = 0;
    let at = |i: usize| chars.get(i).map_or('\0', |(_, c)| *c);
    let byte = |i: usize| chars.get(i).map_or(sql.len(), |(at, _)| *at);
    while i < chars.len() {
        let (begin, c) = (i, at(i));
        if c.is_whitespace() {
            i += 1;
            continue;
        }
        if (c == '-' && at(i + 1) == '-') || (c == '#' && at(i + 1) == ' ') {
            while i < chars.len() && at(i) != '\n' {
                i += 1;
            }
            continue;
        }
        if c == '/' && at(i + 1) == '*' {
            while i < chars.len() && !(at(i) == '*' && at(i + 1) == '/') {
                i += 1;
            }
            i += 2;
            continue;
        }
        let token = if c == '\'' || c == '"' || c == '`' {
            let mut text = String::new();
            i += 1;
            while i < chars.len() && (at(i) != c || at(i + 1) == c) {
                i += usize::from(at(i) == c);
                text.push(at(i));
                i += 1;
            }
            i += 1;
            if c == '\'' { Token::Text(text) } else { Token::Word(text, true) }
        } else if c.is_ascii_digit() {
            while at(i).is_ascii_digit() || (at(i) == '.' && at(i + 1).is_ascii_digit()) {
                i += 1;
            }
            Token::Number(sql[byte(begin)..byte(i)].to_owned())
        } else if c.is_alphabetic() || c == '_' {
            while at(i).is_alphanumeric() || at(i) == '_' || at(i) == '$' {
                i += 1;
            }
            Token::Word(sql[byte(begin)..byte(i)].to_owned(), false)
        } else {
            let two: String = [c, at(i + 1)].iter().collect();
            let long = ["<=", ">=", "<>", "!=", "||", "::"].contains(&two.as_str());
            i += if long { 2 } else { 1 };
            Token::Sign(if long { two } else { c.to_string() })
        };
        out.push((token, byte(begin)));
    }
    out
}

/// The statements of a text with the line each begins on, from 1; the rest that has no semicolon.
pub(super) fn statements(sql: &str) -> (Vec<(String, usize)>, String) {
    let (mut out, mut from) = (Vec::new(), 0);
    let line = |at: usize| sql[..at].matches('\n').count() + 1;
    for (token, at) in tokens(sql) {
        if token == Token::Sign(";".to_owned()) {
            let text = sql[from..at].trim();
            if !text.is_empty() {
                out.push((text.to_owned(), line(at)));
            }
            from = at + 1;
        }
    }
    let rest = &sql[from..];
    let empty = tokens(rest).is_empty();
    (out, if empty { String::new() } else { rest.trim().to_owned() })
}
