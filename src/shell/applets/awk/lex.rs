//! awk's tokens. A slash begins a regex where no operand came before it.

use crate::shell::applets::common::escape::escape;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Text(Vec<u8>),
    Regex(Vec<u8>),
    /// A variable.
    Name(String),
    /// A function's name with its parenthesis right behind.
    Call(String),
    Word(&'static str),
    Builtin(&'static str),
    Op(&'static str),
    Newline,
    End,
}

const WORDS: &[&str] = &[
    "BEGIN", "END", "break", "continue", "delete", "do", "else", "exit", "for", "func", "function",
    "getline", "if", "in", "next", "nextfile", "print", "printf", "return", "while",
];

const BUILTINS: &[&str] = &[
    "and", "atan2", "close", "compl", "cos", "exp", "fflush", "gsub", "index", "int", "length",
    "log", "lshift", "match", "mktime", "or", "rand", "rshift", "sin", "split", "sprintf", "sqrt",
    "srand", "strftime", "sub", "substr", "system", "systime", "tolower", "toupper", "xor",
];

/// Longest first.
const OPS: &[&str] = &[
    "**=", "&&", "||", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "==", "<=", ">=", "!=",
    "!~", ">>", "**", "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!",
    ">", "<", "|", "?", ":", "~", "$", "=",
];

/// Tokens with their lines, or the line and message of an error.
pub(super) fn tokens(source: &[u8]) -> Result<Vec<(Token, u32)>, (u32, &'static str)> {
    let mut out: Vec<(Token, u32)> = Vec::new();
    let mut at = 0;
    let mut line = 1;
    while let Some(&byte) = source.get(at) {
        match byte {
            b' ' | b'\t' | b'\r' => at += 1,
            b'\\' if source.get(at + 1) == Some(&b'\n') => {
                line += 1;
                at += 2;
            }
            b'#' => {
                while source.get(at).is_some_and(|b| *b != b'\n') {
                    at += 1;
                }
            }
            b'\n' => {
                out.push((Token::Newline, line));
                line += 1;
                at += 1;
            }
            b'"' | b'/' if byte == b'"' || regex_here(&out) => {
                let (text, end) =
                    quoted(source, at + 1, byte).ok_or((line, "Unexpected end of string"))?;
                let token = if byte == b'"' { Token::Text(text) } else { Token::Regex(text) };
                out.push((token, line));
                at = end;
            }
            b'0'..=b'9' | b'.' if number_here(source, at) => {
                let (value, used) = number(&source[at..]);
                out.push((Token::Number(value), line));
                at += used;
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let rest = &source[at..];
                let end = rest.iter().position(|b| !(b.is_ascii_alphanumeric() || *b == b'_'));
                let name = &rest[..end.unwrap_or(rest.len())];
                at += name.len();
                let call = source.get(at) == Some(&b'(');
                out.push((word(&String::from_utf8_lossy(name), call), line));
            }
            _ => {
                let (op, used) = operator(&source[at..]).ok_or((line, "Unexpected token"))?;
                at += used;
                out.push((Token::Op(op), line));
            }
        }
    }
    out.push((Token::Newline, line));
    out.push((Token::End, line));
    Ok(out)
}

fn operator(source: &[u8]) -> Option<(&'static str, usize)> {
    let op = OPS.iter().find(|op| source.starts_with(op.as_bytes()))?;
    let meant = match *op {
        "**" => "^",
        "**=" => "^=",
        op => op,
    };
    Some((meant, op.len()))
}

fn number_here(source: &[u8], at: usize) -> bool {
    source[at] != b'.' || source.get(at + 1).is_some_and(u8::is_ascii_digit)
}

fn number(text: &[u8]) -> (f64, usize) {
    if text.len() > 2 && text[0] == b'0' && (text[1] | 0x20) == b'x' {
        let n = text[2..].iter().take_while(|b| b.is_ascii_hexdigit()).count();
        let digits = String::from_utf8_lossy(&text[2..2 + n]).into_owned();
        return (u64::from_str_radix(&digits, 16).unwrap_or(0) as f64, 2 + n);
    }
    // A leading zero makes it octal, unless it goes on as a decimal: `09`, `00.5`.
    let n = text.iter().take_while(|b| matches!(b, b'0'..=b'7')).count();
    if text[0] == b'0' && n > 1 && !matches!(text.get(n), Some(b'8' | b'9' | b'.')) {
        let digits = String::from_utf8_lossy(&text[..n]).into_owned();
        return (u64::from_str_radix(&digits, 8).unwrap_or(u64::MAX) as f64, n);
    }
    super::value::parse_number(text)
}

fn word(name: &str, call: bool) -> Token {
    if let Some(word) = WORDS.iter().find(|word| **word == name) {
        return Token::Word(if *word == "func" { "function" } else { word });
    }
    if let Some(builtin) = BUILTINS.iter().find(|builtin| **builtin == name) {
        return Token::Builtin(builtin);
    }
    if call { Token::Call(name.to_owned()) } else { Token::Name(name.to_owned()) }
}

fn regex_here(before: &[(Token, u32)]) -> bool {
    match before.last().map(|(token, _)| token) {
        Some(Token::Number(_) | Token::Text(_) | Token::Name(_) | Token::Regex(_)) => false,
        Some(Token::Builtin(name)) => *name != "length",
        Some(Token::Op(op)) => !matches!(*op, ")" | "]" | "$" | "++" | "--"),
        _ => true,
    }
}

/// A string or regex from behind its opening mark; gives what is behind the closing one.
fn quoted(source: &[u8], from: usize, mark: u8) -> Option<(Vec<u8>, usize)> {
    let mut out = Vec::new();
    let mut at = from;
    let mut in_bracket = false;
    loop {
        let byte = *source.get(at)?;
        at += 1;
        match byte {
            b'\n' if mark == b'/' => return None,
            b'\\' => {
                let next = *source.get(at)?;
                if next == mark || (mark == b'"' && next == b'/') {
                    out.push(next);
                    at += 1;
                } else if next == b'\n' {
                    at += 1;
                } else if mark == b'/' && !matches!(next, b'n' | b't' | b'r' | b'f' | b'v' | b'a') {
                    // What a regex escapes stays escaped.
                    out.extend([b'\\', next]);
                    at += 1;
                } else {
                    let (byte, used) = escape(&source[at..]);
                    out.push(byte);
                    // An unknown escape keeps its backslash and its letter.
                    at += used;
                }
            }
            byte if byte == mark && !(mark == b'/' && in_bracket) => return Some((out, at)),
            byte => {
                let first = matches!(out.last(), Some(b'[')) || out.ends_with(b"[^");
                match byte {
                    b'[' if mark == b'/' => in_bracket = source[at..].contains(&b']'),
                    b']' if !first => in_bracket = false,
                    _ => {}
                }
                out.push(byte);
            }
        }
    }
}
