//! Arithmetic: 64-bit, wrapping. Models busybox 1.36 shell/math.c: `&&` and `||` evaluate both
//! sides, a variable's value is itself an expression.

use super::Shell;
use std::iter::Peekable;
use std::str::Chars;

type Answer<T> = Result<T, String>;

/// Deepest nesting of parentheses and of variables that name variables.
const DEPTH_MAX: u32 = 60;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(i64),
    Name(String),
    Op(&'static str),
    End,
}

/// Longest first, so that the first match is the right one.
const OPERATORS: &[&str] = &[
    "<<=", ">>=", "**", "++", "--", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "+=", "-=",
    "*=", "/=", "%=", "&=", "|=", "^=", "+", "-", "*", "/", "%", "<", ">", "=", "!", "~", "&", "|",
    "^", "?", ":", "(", ")", ",",
];

const ASSIGNMENTS: &[&str] = &["=", "+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "|=", "^="];

struct Evaluator<'s> {
    shell: &'s mut Shell,
    tokens: Vec<Token>,
    at: usize,
    depth: u32,
    /// Inside the branch of `?:` that is not taken.
    dead: u32,
    /// Variables being looked up, to see loops.
    names: Vec<String>,
}

fn syntax<T>() -> Answer<T> {
    Err("arithmetic syntax error".to_owned())
}

impl Shell {
    /// The value of an expression, or ash's words for what is wrong with it.
    pub(in crate::shell) fn arith(&mut self, text: &str) -> Answer<i64> {
        evaluate(self, text, 0, &[])
    }
}

fn evaluate(shell: &mut Shell, text: &str, depth: u32, names: &[String]) -> Answer<i64> {
    let tokens = tokens(text)?;
    if tokens.len() == 1 {
        return Ok(0);
    }
    let names = names.to_vec();
    let mut evaluator = Evaluator { shell, tokens, at: 0, depth, dead: 0, names };
    let value = evaluator.comma()?;
    if evaluator.peek() == &Token::End { Ok(value) } else { syntax() }
}

fn tokens(text: &str) -> Answer<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        if c.is_ascii_digit() {
            let (number, after) = number(rest)?;
            tokens.push(Token::Number(number));
            rest = after;
        } else if crate::shell::syntax::is_name_start(c) {
            let end = rest.find(|c| !crate::shell::syntax::is_name_char(c)).unwrap_or(rest.len());
            tokens.push(Token::Name(rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            let Some(op) = OPERATORS.iter().find(|op| rest.starts_with(**op)) else {
                return syntax();
            };
            tokens.push(Token::Op(op));
            rest = &rest[op.len()..];
        }
        rest = rest.trim_start();
    }
    tokens.push(Token::End);
    Ok(tokens)
}

fn digits(chars: &mut Peekable<Chars<'_>>, radix: u32) -> (i64, usize) {
    let (mut value, mut n) = (0_i64, 0);
    while let Some(digit) = chars.peek().and_then(|c| digit_of(*c, radix)) {
        value = value.wrapping_mul(i64::from(radix)).wrapping_add(i64::from(digit));
        chars.next();
        n += 1;
    }
    (value, n)
}

fn digit_of(c: char, radix: u32) -> Option<u32> {
    if radix <= 36 {
        return c.to_digit(radix);
    }
    let value = match c {
        '0'..='9' => c as u32 - '0' as u32,
        'a'..='z' => c as u32 - 'a' as u32 + 10,
        'A'..='Z' => c as u32 - 'A' as u32 + 36,
        '@' => 62,
        '_' => 63,
        _ => return None,
    };
    (value < radix).then_some(value)
}

/// `10`, `0x1f`, `017`, `2#101`.
fn number(text: &str) -> Answer<(i64, &str)> {
    let mut chars = text.chars().peekable();
    let radix = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => {
            chars.nth(1);
            16
        }
        [b'0', ..] => 8,
        _ => 10,
    };
    let (mut value, n) = digits(&mut chars, radix);
    if chars.peek() == Some(&'#') && (2..=64).contains(&value) && radix == 10 {
        chars.next();
        value = digits(&mut chars, value as u32).0;
    }
    let next = chars.peek().copied();
    if n == 0 || next.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.') {
        return syntax();
    }
    let left: usize = chars.map(char::len_utf8).sum();
    Ok((value, &text[text.len() - left..]))
}

impl Evaluator<'_> {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).unwrap_or(&Token::End)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn peek_op(&self) -> Option<&'static str> {
        match self.peek() {
            Token::Op(op) => Some(op),
            _ => None,
        }
    }

    fn eat(&mut self, op: &str) -> bool {
        let found = self.peek_op() == Some(op);
        self.at += usize::from(found);
        found
    }

    fn comma(&mut self) -> Answer<i64> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return syntax();
        }
        let mut value = self.assignment()?;
        while self.eat(",") {
            value = self.assignment()?;
        }
        self.depth -= 1;
        Ok(value)
    }

    fn assignment(&mut self) -> Answer<i64> {
        let op = match (self.tokens.get(self.at), self.tokens.get(self.at + 1)) {
            (Some(Token::Name(name)), Some(Token::Op(op))) if ASSIGNMENTS.contains(op) => {
                Some((name.clone(), *op))
            }
            _ => None,
        };
        let Some((name, op)) = op else { return self.ternary() };
        self.at += 2;
        let right = self.assignment()?;
        let value = match op.strip_suffix('=') {
            Some("") | None => right,
            Some(op) => {
                let left = self.lookup(&name)?;
                self.apply(op, left, right)?
            }
        };
        self.store(&name, value)?;
        Ok(value)
    }

    fn store(&mut self, name: &str, value: i64) -> Answer<()> {
        if self.dead > 0 {
            return Ok(());
        }
        self.shell.assign(name, &value.to_string(), false)
    }

    fn lookup(&mut self, name: &str) -> Answer<i64> {
        let Some(text) = self.shell.var(name) else { return Ok(0) };
        if let Ok(value) = text.parse::<i64>()
            && !(text.len() > 1 && text.starts_with('0'))
        {
            return Ok(value);
        }
        if self.names.iter().any(|seen| seen == name) || self.depth > DEPTH_MAX {
            return Err("expression recursion loop detected".to_owned());
        }
        let mut names = self.names.clone();
        names.push(name.to_owned());
        evaluate(self.shell, &text, self.depth, &names)
    }

    fn ternary(&mut self) -> Answer<i64> {
        let test = self.binary(0)?;
        if !self.eat("?") {
            return Ok(test);
        }
        self.dead += u32::from(test == 0);
        let yes = self.comma()?;
        self.dead -= u32::from(test == 0);
        if !self.eat(":") {
            return Err("malformed ?: operator".to_owned());
        }
        self.dead += u32::from(test != 0);
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return syntax();
        }
        let no = self.ternary()?;
        self.depth -= 1;
        self.dead -= u32::from(test != 0);
        Ok(if test != 0 { yes } else { no })
    }

    /// How tightly a binary operator binds; higher is tighter.
    fn precedence(op: &str) -> Option<u32> {
        Some(match op {
            "||" => 1,
            "&&" => 2,
            "|" => 3,
            "^" => 4,
            "&" => 5,
            "==" | "!=" => 6,
            "<" | ">" | "<=" | ">=" => 7,
            "<<" | ">>" => 8,
            "+" | "-" => 9,
            "*" | "/" | "%" => 10,
            "**" => 11,
            _ => return None,
        })
    }

    fn binary(&mut self, least: u32) -> Answer<i64> {
        let mut left = self.unary()?;
        while let Some(mut op) = self.peek_op() {
            // After a value these are two signs: `1++2` is `1 + +2`.
            let two = matches!(op, "++" | "--");
            op = if two { &op[1..] } else { op };
            let Some(level) = Self::precedence(op).filter(|level| *level > least) else { break };
            match two {
                true => self.split_sign(op),
                false => self.at += 1,
            }
            // Powers group from the right.
            let right = self.binary(if op == "**" { level - 1 } else { level })?;
            left = self.apply(op, left, right)?;
        }
        Ok(left)
    }

    /// Leaves the second sign of `++`; with one behind it they are a step: `4+++a` is `4 + ++a`.
    fn split_sign(&mut self, sign: &'static str) {
        let again = self.tokens.get(self.at + 1) == Some(&Token::Op(sign));
        let rest = match (again, sign) {
            (false, sign) => sign,
            (true, "+") => "++",
            (true, _) => "--",
        };
        if again {
            self.tokens.remove(self.at);
        }
        if let Some(token) = self.tokens.get_mut(self.at) {
            *token = Token::Op(rest);
        }
    }

    fn unary(&mut self) -> Answer<i64> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return syntax();
        }
        let value = self.unary_inner()?;
        self.depth -= 1;
        Ok(value)
    }

    fn unary_inner(&mut self) -> Answer<i64> {
        let token = self.next();
        match token {
            Token::Number(value) => Ok(value),
            Token::Name(name) => self.variable(&name),
            Token::Op("(") => {
                let value = self.comma()?;
                if self.eat(")") { Ok(value) } else { syntax() }
            }
            Token::Op("+") => self.unary(),
            Token::Op("-") => self.unary().map(i64::wrapping_neg),
            Token::Op("!") => self.unary().map(|value| i64::from(value == 0)),
            Token::Op("~") => self.unary().map(|value| !value),
            Token::Op(op @ ("++" | "--")) => match self.peek().clone() {
                Token::Name(name) => {
                    self.at += 1;
                    let step = if op == "++" { 1 } else { -1 };
                    let value = self.lookup(&name)?.wrapping_add(step);
                    self.store(&name, value)?;
                    Ok(value)
                }
                // Two signs, not a step.
                _ => self.unary(),
            },
            _ => syntax(),
        }
    }

    fn variable(&mut self, name: &str) -> Answer<i64> {
        let value = self.lookup(name)?;
        let step = match self.peek_op() {
            Some("++") => 1,
            Some("--") => -1,
            _ => return Ok(value),
        };
        self.at += 1;
        self.store(name, value.wrapping_add(step))?;
        Ok(value)
    }

    fn apply(&self, op: &str, left: i64, right: i64) -> Answer<i64> {
        Ok(match op {
            "||" => i64::from(left != 0 || right != 0),
            "&&" => i64::from(left != 0 && right != 0),
            "|" => left | right,
            "^" => left ^ right,
            "&" => left & right,
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "<<" => left.wrapping_shl(right as u32),
            ">>" => left.wrapping_shr(right as u32),
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            "**" if right < 0 && self.dead == 0 => {
                return Err("exponent less than 0".to_owned());
            }
            "**" => power(left, right),
            "/" | "%" if right == 0 && self.dead == 0 => {
                return Err("divide by zero".to_owned());
            }
            "/" | "%" if right == 0 => 0,
            "/" => left.wrapping_div(right),
            _ => left.wrapping_rem(right),
        })
    }
}

fn power(base: i64, exponent: i64) -> i64 {
    let (mut result, mut base, mut exponent) = (1_i64, base, exponent.max(0));
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result.wrapping_mul(base);
        }
        base = base.wrapping_mul(base);
        exponent >>= 1;
    }
    result
}
