//! dc: numbers and strings on a stack, registers, strings run as macros.

use super::machine::{bounded, compute};
use super::number::Num;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Item {
    Number(Num),
    Text(Vec<u8>),
}

pub(super) struct Dc {
    stack: Vec<Item>,
    registers: BTreeMap<u8, Vec<Item>>,
    arrays: BTreeMap<u8, BTreeMap<u64, Item>>,
    /// Texts being run, the innermost last, and how far.
    frames: Vec<(Vec<u8>, usize)>,
    scale: usize,
    ibase: u32,
    obase: u32,
    pub(super) out: Vec<u8>,
    /// Characters of an output line.
    line: usize,
}

pub(super) enum Status {
    More,
    Done,
    /// A line is to be read and run.
    Read,
    Quit,
    Failed(String),
}

/// Macros in macros; the tail of one is no level.
const FRAMES_MAX: usize = 10_000;
/// Items on the stack and in registers.
const ITEMS_MAX: usize = 1 << 20;

type Ran<T> = Result<T, String>;

enum Flow {
    On,
    Read,
    Quit,
}

impl Dc {
    pub(super) fn new(line: usize) -> Dc {
        Dc {
            stack: Vec::new(),
            registers: BTreeMap::new(),
            arrays: BTreeMap::new(),
            frames: Vec::new(),
            scale: 0,
            ibase: 10,
            obase: 10,
            out: Vec::new(),
            line,
        }
    }

    pub(super) fn start(&mut self, text: &[u8]) {
        self.frames.push((text.to_vec(), 0));
    }

    pub(super) fn run(&mut self, n_steps: u32) -> Status {
        for _ in 0..n_steps {
            let Some(byte) = self.take() else {
                self.frames.pop();
                if self.frames.is_empty() {
                    return Status::Done;
                }
                continue;
            };
            match self.step(byte) {
                Ok(Flow::On) => {}
                Ok(Flow::Read) => return Status::Read,
                Ok(Flow::Quit) => return Status::Quit,
                Err(why) => {
                    self.frames.clear();
                    return Status::Failed(why);
                }
            }
        }
        Status::More
    }

    fn peek(&self) -> Option<u8> {
        let (text, at) = self.frames.last()?;
        text.get(*at).copied()
    }

    fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        if let Some((_, at)) = self.frames.last_mut() {
            *at += 1;
        }
        Some(byte)
    }

    fn register(&mut self) -> Ran<u8> {
        self.take().ok_or_else(|| "bad register".to_owned())
    }

    fn push(&mut self, item: Item) -> Ran<()> {
        if self.stack.len() >= ITEMS_MAX {
            return Err("stack too large".to_owned());
        }
        self.stack.push(item);
        Ok(())
    }

    fn number(&mut self, num: Num) -> Ran<()> {
        self.push(Item::Number(num))
    }

    fn pop(&mut self) -> Ran<Item> {
        self.stack.pop().ok_or_else(|| "stack has too few elements".to_owned())
    }

    fn pop_number(&mut self) -> Ran<Num> {
        match self.pop()? {
            Item::Number(num) => Ok(num),
            Item::Text(_) => Err("variable is wrong type".to_owned()),
        }
    }

    fn pop_two(&mut self) -> Ran<(Num, Num)> {
        if self.stack.len() < 2 {
            return Err("stack has too few elements".to_owned());
        }
        let b = self.pop_number()?;
        Ok((self.pop_number()?, b))
    }

    fn step(&mut self, byte: u8) -> Ran<Flow> {
        match byte {
            b' ' | b'\n' | b'\t' | b'\r' => {}
            b'0'..=b'9' | b'A'..=b'F' | b'.' | b'_' => self.literal(byte)?,
            b'[' => self.text()?,
            b'+' | b'-' | b'*' | b'/' | b'%' | b'^' => {
                let (a, b) = self.pop_two()?;
                let op =
                    ["+", "-", "*", "/", "%", "^"].into_iter().find(|op| op.as_bytes() == [byte]);
                let value = compute(op.unwrap_or("+"), &a, &b, self.scale)?;
                self.number(value)?;
            }
            b'~' | b'|' | b'v' | b'G' | b'N' | b'(' | b'{' => self.arithmetic(byte)?,
            b'p' | b'n' | b'P' | b'f' => self.print(byte)?,
            b'R' => drop(self.pop()?),
            b'c' | b'd' | b'r' | b'z' | b'X' | b'Z' | b'a' => self.shuffle(byte)?,
            b'k' | b'i' | b'o' => self.set(byte)?,
            b'K' => self.number(Num::from(self.scale as i64))?,
            b'I' => self.number(Num::from(i64::from(self.ibase)))?,
            b'O' => self.number(Num::from(i64::from(self.obase)))?,
            b's' | b'l' | b'S' | b'L' | b':' | b';' => self.keep(byte)?,
            b'x' => {
                let top = self.pop()?;
                self.execute(top)?;
            }
            b'=' | b'<' | b'>' => self.compare(byte, false)?,
            b'!' => match self.take() {
                Some(next @ (b'=' | b'<' | b'>')) => self.compare(next, true)?,
                _ => return Err("bad character '!'".to_owned()),
            },
            b'#' => while self.take().is_some_and(|byte| byte != b'\n') {},
            b'?' => return Ok(Flow::Read),
            b'q' => return Ok(self.quit(2)),
            b'Q' => {
                let n = self.pop_number()?.whole().unwrap_or(0);
                return Ok(self.quit(usize::try_from(n).unwrap_or(0)));
            }
            other => return Err(format!("bad character '{}'", char::from(other))),
        }
        Ok(Flow::On)
    }

    fn quit(&mut self, levels: usize) -> Flow {
        if levels >= self.frames.len() {
            return Flow::Quit;
        }
        self.frames.truncate(self.frames.len() - levels);
        Flow::On
    }

    fn literal(&mut self, first: u8) -> Ran<()> {
        let neg = first == b'_';
        let mut text = String::new();
        if !neg {
            text.push(char::from(first));
        }
        while let Some(byte) = self.peek() {
            let point = byte == b'.' && !text.contains('.');
            if !(point || byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte)) {
                break;
            }
            text.push(char::from(byte));
            self.take();
        }
        let num = Num::parse(&text, self.ibase);
        self.number(if neg { num.negated() } else { num })
    }

    fn text(&mut self) -> Ran<()> {
        let (mut depth, mut text) = (1, Vec::new());
        while let Some(byte) = self.take() {
            match byte {
                b'[' => depth += 1,
                b']' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return self.push(Item::Text(text));
            }
            text.push(byte);
        }
        Err("string end could not be found".to_owned())
    }

    fn arithmetic(&mut self, byte: u8) -> Ran<()> {
        let value = match byte {
            b'v' => self.pop_number()?.root(self.scale).ok_or("negative number")?,
            b'N' => {
                let top = self.pop_number()?;
                Num::from(i64::from(top.is_zero()))
            }
            b'|' => return self.modular(),
            b'~' => {
                let (a, b) = self.pop_two()?;
                let quotient = compute("/", &a, &b, self.scale)?;
                let rest = compute("%", &a, &b, self.scale)?;
                self.number(quotient)?;
                rest
            }
            _ => {
                let (a, b) = self.pop_two()?;
                let order = b.order(&a);
                Num::from(i64::from(match byte {
                    b'G' => order.is_eq(),
                    b'(' => order.is_lt(),
                    _ => order.is_le(),
                }))
            }
        };
        self.number(value)
    }

    fn modular(&mut self) -> Ran<()> {
        if self.stack.len() < 3 {
            return Err("stack has too few elements".to_owned());
        }
        let (modulus, exponent) = (self.pop_number()?, self.pop_number()?);
        let base = self.pop_number()?;
        if modulus.is_zero() {
            return Err("divide by zero".to_owned());
        }
        if exponent.is_negative() {
            return Err("negative number".to_owned());
        }
        let whole = [&base, &exponent, &modulus].iter().all(|num| num.is_whole());
        let n = exponent.whole().filter(|_| whole).ok_or("not an integer")?;
        let mut out = Num::from(1);
        for bit in (0..63).rev().skip_while(|bit| n >> bit & 1 == 0) {
            out = compute("%", &compute("*", &out, &out, 0)?, &modulus, 0)?;
            if n >> bit & 1 == 1 {
                out = compute("%", &compute("*", &out, &base, 0)?, &modulus, 0)?;
            }
        }
        self.number(out)
    }

    fn show(&mut self, item: &Item) {
        match item {
            Item::Number(num) => {
                self.out.extend_from_slice(num.show(self.obase, self.line).as_bytes())
            }
            Item::Text(text) => self.out.extend_from_slice(text),
        }
    }

    fn print(&mut self, byte: u8) -> Ran<()> {
        if byte == b'f' {
            for item in self.stack.clone().iter().rev() {
                self.show(item);
                self.out.push(b'\n');
            }
            return Ok(());
        }
        let top = self.pop()?;
        match (byte, &top) {
            (b'P', Item::Number(num)) => {
                let mut left = num.scaled(0).whole().unwrap_or(0).unsigned_abs();
                let bytes = left.to_be_bytes();
                left = left.leading_zeros().into();
                self.out.extend(&bytes[(left / 8) as usize..]);
            }
            _ => self.show(&top),
        }
        if byte != b'P' {
            self.out.push(b'\n');
        }
        // busybox takes nothing off, whatever it printed.
        self.push(top)
    }

    fn shuffle(&mut self, byte: u8) -> Ran<()> {
        match byte {
            b'c' => self.stack.clear(),
            b'z' => self.number(Num::from(self.stack.len() as i64))?,
            b'd' => {
                let top = self.pop()?;
                self.push(top.clone())?;
                self.push(top)?;
            }
            b'r' => {
                let (top, below) = (self.pop()?, self.pop()?);
                self.push(top)?;
                self.push(below)?;
            }
            b'a' => {
                let byte = match self.pop()? {
                    Item::Number(num) => num.whole().unwrap_or(0) as u8,
                    Item::Text(text) => text.first().copied().unwrap_or(0),
                };
                self.push(Item::Text(vec![byte]))?;
            }
            _ => {
                let top = self.pop()?;
                let n = match (byte, &top) {
                    (b'X', Item::Number(num)) => num.scale,
                    (b'X', Item::Text(_)) => 0,
                    (_, Item::Number(num)) => num.length(),
                    (_, Item::Text(text)) => text.len(),
                };
                self.number(Num::from(n as i64))?;
            }
        }
        Ok(())
    }

    fn set(&mut self, byte: u8) -> Ran<()> {
        let value = self.pop_number()?;
        let n = value.whole().unwrap_or(i64::MAX);
        match byte {
            b'k' if n < 0 => return Err("negative number".to_owned()),
            b'k' if n > 10_000 => bounded(None).map(drop)?,
            b'k' => self.scale = n as usize,
            b'i' if (2..=16).contains(&n) => self.ibase = n as u32,
            b'i' => return Err("bad ibase; must be [2,16]".to_owned()),
            _ if (2..=999).contains(&n) => self.obase = n as u32,
            _ => return Err("bad obase; must be [2,999]".to_owned()),
        }
        Ok(())
    }

    fn keep(&mut self, byte: u8) -> Ran<()> {
        let name = self.register()?;
        match byte {
            b's' | b'S' => {
                let top = self.pop()?;
                let register = self.registers.entry(name).or_default();
                if byte == b's' {
                    register.pop();
                }
                if register.len() >= ITEMS_MAX {
                    return Err("stack too large".to_owned());
                }
                register.push(top);
            }
            b'l' => {
                let found = self.registers.get(&name).and_then(|list| list.last().cloned());
                self.push(found.unwrap_or(Item::Number(Num::default())))?;
            }
            b'L' => {
                let found = self.registers.get_mut(&name).and_then(Vec::pop);
                self.push(found.ok_or("stack has too few elements")?)?;
            }
            _ => {
                let index = self.pop_number()?;
                if index.is_negative() {
                    return Err("negative number".to_owned());
                }
                let index = index.whole().map_or(u64::MAX, i64::unsigned_abs);
                if byte == b':' {
                    let value = self.pop()?;
                    let array = self.arrays.entry(name).or_default();
                    if array.len() >= ITEMS_MAX {
                        return Err("array too long".to_owned());
                    }
                    array.insert(index, value);
                } else {
                    let found = self.arrays.get(&name).and_then(|array| array.get(&index).cloned());
                    self.push(found.unwrap_or(Item::Number(Num::default())))?;
                }
            }
        }
        Ok(())
    }

    /// Runs a string; anything else goes back.
    fn execute(&mut self, item: Item) -> Ran<()> {
        let Item::Text(text) = item else { return self.push(item) };
        // What is done is no level any more, so that a macro may end in itself.
        while self.frames.len() > 1 && self.peek().is_none() {
            self.frames.pop();
        }
        if self.frames.len() >= FRAMES_MAX {
            return Err("too many macros in one another".to_owned());
        }
        self.frames.push((text, 0));
        Ok(())
    }

    fn compare(&mut self, byte: u8, not: bool) -> Ran<()> {
        let name = self.register()?;
        let mut other = None;
        if self.peek() == Some(b'e') {
            self.take();
            other = Some(self.register()?);
        }
        let (a, b) = self.pop_two()?;
        let order = b.order(&a);
        let holds = match byte {
            b'=' => order.is_eq(),
            b'<' => order.is_lt(),
            _ => order.is_gt(),
        };
        let chosen = if holds != not { Some(name) } else { other };
        let Some(name) = chosen else { return Ok(()) };
        match self.registers.get(&name).and_then(|list| list.last().cloned()) {
            Some(item @ Item::Text(_)) => self.execute(item),
            _ => Err("variable is wrong type".to_owned()),
        }
    }
}
