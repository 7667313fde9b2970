//! A template's text -> what it says to print. Fills nothing in.

use crate::kube::tree::Tree;

/// How deep parentheses and blocks may stand in each other.
const DEPTH_MAX: usize = 40;

pub(super) enum Node {
    Text(String),
    Print(Pipe),
    /// A variable, and whether it is a new one.
    Set(String, Pipe),
    If(Pipe, Vec<Node>, Vec<Node>),
    With(Pipe, Vec<Node>, Vec<Node>),
    Range(Vec<String>, Pipe, Vec<Node>, Vec<Node>),
}

pub(super) type Pipe = Vec<Vec<Arg>>;

pub(super) enum Arg {
    Value(Tree),
    /// `.a.b` of the dot, of a variable, or of what stands in parentheses.
    Dot(Vec<String>),
    Var(String, Vec<String>),
    Inner(Pipe, Vec<String>),
    Call(String),
}

#[derive(Clone, Debug, PartialEq)]
enum Word {
    /// A name, a number or a path: `range`, `3`, `.a.b`, `$x.y`.
    Plain(String),
    Text(String),
    Sign(&'static str),
}

/// What a template says; the error is Go's.
pub(super) fn read(template: &str) -> Result<Vec<Node>, String> {
    let pieces = pieces(template)?;
    let mut reader = Reader { pieces: &pieces, at: 0, depth: 0 };
    let (nodes, end) = reader.block()?;
    match end {
        End::Text => Ok(nodes),
        _ => Err(parse_error(template, "unexpected {{end}}")),
    }
}

fn parse_error(template: &str, why: &str) -> String {
    format!("error parsing template {template}, template: output:1: {why}")
}

/// Text, or the words of an action.
enum Piece {
    Text(String),
    Action(Vec<Word>),
}

fn pieces(template: &str) -> Result<Vec<Piece>, String> {
    let (mut out, mut rest) = (Vec::new(), template);
    let mut trims = false;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inner, next) =
            after.split_once("}}").ok_or_else(|| parse_error(template, "unclosed action"))?;
        let before = if trims { before.trim_start() } else { before };
        let starts = inner.starts_with("- ");
        let before = if starts { before.trim_end() } else { before };
        trims = inner.ends_with(" -");
        let inner = if starts { &inner[1..] } else { inner };
        let inner = if trims { inner.strip_suffix('-').unwrap_or(inner) } else { inner };
        out.push(Piece::Text(before.to_owned()));
        if !inner.trim_start().starts_with("/*") {
            out.push(Piece::Action(words(inner).map_err(|why| parse_error(template, &why))?));
        }
        rest = next;
    }
    out.push(Piece::Text(if trims { rest.trim_start() } else { rest }.to_owned()));
    Ok(out)
}

fn words(action: &str) -> Result<Vec<Word>, String> {
    let mut out = Vec::new();
    let mut chars = action.char_indices().peekable();
    while let Some((at, ch)) = chars.next() {
        match ch {
            ' ' | '\t' | '\n' => {}
            '|' => out.push(Word::Sign("|")),
            '(' => out.push(Word::Sign("(")),
            ')' => out.push(Word::Sign(")")),
            ',' => out.push(Word::Sign(",")),
            ':' if chars.next_if(|(_, next)| *next == '=').is_some() => out.push(Word::Sign(":=")),
            '=' => out.push(Word::Sign(":=")),
            '"' | '`' => {
                let mut text = String::new();
                loop {
                    match chars.next().ok_or("unterminated quoted string")?.1 {
                        end if end == ch => break,
                        '\\' if ch == '"' => match chars.next().map(|(_, next)| next) {
                            Some('n') => text.push('\n'),
                            Some('t') => text.push('\t'),
                            Some(other) => text.push(other),
                            None => {}
                        },
                        other => text.push(other),
                    }
                }
                out.push(Word::Text(text));
            }
            _ => {
                let mut end = at + ch.len_utf8();
                let inside = |c: char| !" \t\n|(),:=\"`".contains(c);
                while let Some((at, c)) = chars.next_if(|(_, c)| inside(*c)) {
                    end = at + c.len_utf8();
                }
                out.push(Word::Plain(action[at..end].to_owned()));
            }
        }
    }
    Ok(out)
}

/// What a block ends with; `else if` is an `if` in the `else`, which both end together.
enum End {
    Close,
    Else,
    ElseIf(Node),
    /// The template's own end.
    Text,
}

struct Reader<'p> {
    pieces: &'p [Piece],
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    /// Nodes up to the `end` or `else` that closes them, and which it was.
    fn block(&mut self) -> Result<(Vec<Node>, End), String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("not simulated: a template as deep as this".to_owned());
        }
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.get(self.at) {
            self.at += 1;
            let words = match piece {
                Piece::Text(text) => {
                    nodes.push(Node::Text(text.clone()));
                    continue;
                }
                Piece::Action(words) => words,
            };
            let (first, rest) = match words.split_first() {
                Some((Word::Plain(first), rest)) => (first.as_str(), rest),
                _ => ("", words.as_slice()),
            };
            match first {
                "end" | "else" => {
                    self.depth -= 1;
                    let end = match rest.first() {
                        _ if first == "end" => End::Close,
                        Some(Word::Plain(again)) if again == "if" => {
                            End::ElseIf(self.choice(&rest[1..])?)
                        }
                        _ => End::Else,
                    };
                    return Ok((nodes, end));
                }
                "if" => nodes.push(self.choice(rest)?),
                "with" => {
                    let pipe = pipe(rest)?;
                    let (body, other) = self.bodies()?;
                    nodes.push(Node::With(pipe, body, other));
                }
                "range" => {
                    let (vars, rest) = names(rest);
                    let pipe = pipe(rest)?;
                    let (body, other) = self.bodies()?;
                    nodes.push(Node::Range(vars, pipe, body, other));
                }
                "template" | "define" | "block" | "break" | "continue" => {
                    return Err(format!("not simulated: {first} in a template"));
                }
                _ => {
                    let (vars, rest) = names(words);
                    let pipe = pipe(rest)?;
                    nodes.push(match vars.into_iter().next() {
                        Some(name) => Node::Set(name, pipe),
                        None => Node::Print(pipe),
                    });
                }
            }
        }
        self.depth -= 1;
        Ok((nodes, End::Text))
    }

    fn choice(&mut self, words: &[Word]) -> Result<Node, String> {
        let pipe = pipe(words)?;
        let (body, other) = self.bodies()?;
        Ok(Node::If(pipe, body, other))
    }

    /// What stands before and after `else`.
    fn bodies(&mut self) -> Result<(Vec<Node>, Vec<Node>), String> {
        let (body, end) = self.block()?;
        match end {
            End::ElseIf(inner) => Ok((body, vec![inner])),
            End::Else => match self.block()? {
                (other, End::Close) => Ok((body, other)),
                _ => Err(unexpected_end()),
            },
            End::Close => Ok((body, Vec::new())),
            End::Text => Err(unexpected_end()),
        }
    }
}

fn unexpected_end() -> String {
    "error parsing template, template: output:1: unexpected EOF".to_owned()
}

/// The variables before `:=`, and the words behind it.
fn names(words: &[Word]) -> (Vec<String>, &[Word]) {
    let Some(at) = words.iter().position(|word| *word == Word::Sign(":=")) else {
        return (Vec::new(), words);
    };
    let plain = |word: &Word| match word {
        Word::Plain(name) => Some(name.clone()),
        _ => None,
    };
    (words[..at].iter().filter_map(plain).collect(), &words[at + 1..])
}

fn pipe(words: &[Word]) -> Result<Pipe, String> {
    let mut at = 0;
    let pipe = commands(words, &mut at, 0)?;
    match at == words.len() && pipe.iter().all(|command| !command.is_empty()) {
        true => Ok(pipe),
        false => {
            Err("error parsing template, template: output:1: missing value for command".into())
        }
    }
}

fn commands(words: &[Word], at: &mut usize, depth: usize) -> Result<Pipe, String> {
    let mut pipe = vec![Vec::new()];
    while let Some(word) = words.get(*at) {
        *at += 1;
        let arg = match word {
            Word::Sign("|") => {
                pipe.push(Vec::new());
                continue;
            }
            Word::Sign(")") if depth > 0 => return Ok(pipe),
            Word::Sign("(") if depth < DEPTH_MAX => {
                let inner = commands(words, at, depth + 1)?;
                let path = match words.get(*at) {
                    Some(Word::Plain(path)) if path.starts_with('.') => {
                        *at += 1;
                        path.as_str()
                    }
                    _ => "",
                };
                Arg::Inner(inner, steps(path))
            }
            Word::Sign(sign) => return Err(format!("not simulated: {sign} in this template")),
            Word::Text(text) => Arg::Value(Tree::from(text.as_str())),
            Word::Plain(word) => plain(word),
        };
        if let Some(command) = pipe.last_mut() {
            command.push(arg);
        }
    }
    Ok(pipe)
}

fn steps(path: &str) -> Vec<String> {
    path.split('.').filter(|step| !step.is_empty()).map(str::to_owned).collect()
}

fn plain(word: &str) -> Arg {
    if word.starts_with('.') {
        return Arg::Dot(steps(word));
    }
    if word.starts_with('$') {
        let (name, path) = word.split_once('.').unwrap_or((word, ""));
        return Arg::Var(name.to_owned(), steps(path));
    }
    match (word, word.parse::<i64>()) {
        (_, Ok(number)) => Arg::Value(Tree::Int(number)),
        ("true" | "false", _) => Arg::Value(Tree::Bool(word == "true")),
        ("nil", _) => Arg::Value(Tree::Null),
        _ => Arg::Call(word.to_owned()),
    }
}
