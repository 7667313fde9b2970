//! Text -> assertions. Every word is either understood or a problem with its place.

use super::moment::{Said, Verb};
use super::token::{Kind, Token, duration, tokens};
use super::words::nearest;
use super::{Assertion, GoalProblem, Pattern, Times};
use crate::lesson::Goal;
use crate::text::Span;
use crate::time::SimTime;

/// Everything in a goal that cannot be read.
pub fn goal_problems(goal: &Goal) -> Vec<GoalProblem> {
    let lines: Vec<_> = parse(goal).into_iter().filter_map(|(_, line)| line.err()).collect();
    if !lines.is_empty() || goal.0.lines().any(|line| !line.trim().is_empty()) {
        return lines;
    }
    vec![GoalProblem { span: Span::default(), message: "this goal says nothing".to_owned() }]
}

/// Its lines with their place, each read or not.
pub(crate) fn parse(goal: &Goal) -> Vec<(Span, Result<Assertion, GoalProblem>)> {
    let mut found = Vec::new();
    let mut offset = 0;
    for line in goal.0.split_inclusive('\n') {
        let text = line.trim_end();
        if !text.trim_start().is_empty() {
            let span = Span::new(offset, offset + text.len());
            found.push((span, assertion(text, offset)));
        }
        offset += line.len();
    }
    found
}

/// The codes that a goal's `no remarks` names; None where it says no such thing.
#[cfg(not(target_arch = "wasm32"))]
pub(in crate::lesson) fn remarks_of(goal: &Goal) -> Option<Vec<String>> {
    let codes = parse(goal).into_iter().filter_map(|(_, line)| match line {
        Ok(Assertion::NoRemarks(codes)) => Some(codes),
        _ => None,
    });
    let all: Vec<Vec<String>> = codes.collect();
    (!all.is_empty()).then(|| all.concat())
}

fn assertion(line: &str, offset: usize) -> Result<Assertion, GoalProblem> {
    let tokens = tokens(line, offset)?;
    let end = Span::new(offset + line.len(), offset + line.len());
    let mut reader = Reader { tokens: &tokens, at: 0, end };
    let read = reader.assertion()?;
    if reader.at < tokens.len() {
        return Err(reader.problem("there is no more to say here"));
    }
    Ok(read)
}

pub(super) struct Reader<'a> {
    tokens: &'a [Token],
    pub(super) at: usize,
    end: Span,
}

pub(super) type Read<T> = Result<T, GoalProblem>;

impl<'a> Reader<'a> {
    pub(super) fn peek(&self) -> Option<&'a str> {
        match self.tokens.get(self.at).map(|t| &t.kind) {
            Some(Kind::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// A problem at the token that comes next.
    pub(super) fn problem(&self, message: impl Into<String>) -> GoalProblem {
        let span = self.tokens.get(self.at).map_or(self.end, |t| t.span);
        GoalProblem { span, message: message.into() }
    }

    /// Takes the next word if it is this one.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let there = self.peek() == Some(word);
        self.at += usize::from(there);
        there
    }

    pub(super) fn word(&mut self, what: &str) -> Read<&'a str> {
        let Some(word) = self.peek() else {
            return Err(self.problem(format!("{what} is expected here")));
        };
        self.at += 1;
        Ok(word)
    }

    pub(super) fn pattern(&mut self) -> Read<Pattern> {
        let pattern = self.maybe_pattern();
        pattern.ok_or_else(|| self.problem("\"text\" or /expression/ is expected here"))
    }

    pub(super) fn maybe_pattern(&mut self) -> Option<Pattern> {
        match self.tokens.get(self.at).map(|t| &t.kind) {
            Some(Kind::Pattern(pattern)) => {
                self.at += 1;
                Some(pattern.clone())
            }
            _ => None,
        }
    }

    pub(super) fn expect(&mut self, word: &str) -> Read<()> {
        let there = self.take(word);
        if there { Ok(()) } else { Err(self.problem(format!("`{word}` is expected here"))) }
    }

    /// A problem that lists what would be understood.
    pub(super) fn one_of(&self, words: &[&str]) -> GoalProblem {
        let meant = self.peek().and_then(|word| nearest(word, words));
        let list = words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
        match (self.peek(), meant) {
            (Some(word), Some(meant)) => {
                self.problem(format!("`{word}` is not understood here; perhaps `{meant}`"))
            }
            (Some(word), None) => self.problem(format!("`{word}` is none of {list}")),
            (None, _) => self.problem(format!("one of {list} is expected here")),
        }
    }

    pub(super) fn number<T: std::str::FromStr>(&mut self, what: &str) -> Read<T> {
        let number = self.peek().and_then(|word| word.parse().ok());
        let number = number.ok_or_else(|| self.problem(format!("{what} is expected here")))?;
        self.at += 1;
        Ok(number)
    }

    fn time(&mut self) -> Read<SimTime> {
        let time = self.peek().and_then(duration);
        let time = time.ok_or_else(|| self.problem("a time such as `20s` is expected here"))?;
        self.at += 1;
        Ok(time)
    }

    fn assertion(&mut self) -> Read<Assertion> {
        if self.take("no") {
            return self.none();
        }
        if self.take("manifest") {
            return self.manifest();
        }
        if self.take("cluster") {
            return Ok(Assertion::Cluster(self.has()?));
        }
        let said = self.moment()?;
        self.about(said)
    }

    fn none(&mut self) -> Read<Assertion> {
        match self.maybe_pattern() {
            Some(Pattern::Text(text)) if text == "not simulated" => {
                return Ok(Assertion::NothingUnsimulated);
            }
            Some(_) => {
                self.at -= 1;
                return Err(self.problem("only \"not simulated\" can be meant here"));
            }
            None => {}
        }
        match self.peek() {
            Some("errors") => self.at += 1,
            Some("warnings") => {
                self.at += 1;
                return Ok(Assertion::NoWarnings);
            }
            Some("remarks") => {
                self.at += 1;
                let codes = std::iter::from_fn(|| self.word("").ok());
                return Ok(Assertion::NoRemarks(codes.map(str::to_owned).collect()));
            }
            _ => {
                let words = ["errors", "warnings", "remarks", "\"not simulated\""];
                return Err(self.one_of(&words));
            }
        }
        Ok(Assertion::NoErrors)
    }

    /// What is said about a moment: how often, when, before or after what.
    fn about(&mut self, said: Said) -> Read<Assertion> {
        let Said { moment, never, verb } = said;
        match verb {
            Verb::Ends => return Ok(Assertion::Is { moment, at: None }),
            Verb::Stays => {
                self.expect("from")?;
                return Ok(Assertion::Stays { moment, from: self.time()? });
            }
            Verb::Is => {
                self.expect("at")?;
                let at = self.time()?;
                return Ok(Assertion::Is { moment, at: Some(at) });
            }
            Verb::Happens => {}
        }
        let mut times = never.then_some(Times::Exactly(0));
        let (mut from, mut within) = (SimTime::ZERO, None);
        loop {
            if self.take("within") {
                within = Some(self.time()?);
            } else if self.take("before") {
                return Ok(Assertion::Order { first: moment, then: self.moment()?.moment });
            } else if self.take("after") {
                if self.peek().and_then(duration).is_none() {
                    return Ok(Assertion::Order { first: self.moment()?.moment, then: moment });
                }
                from = self.time()?;
            } else if times.is_none()
                && let Some(found) = self.times()?
            {
                times = Some(found);
            } else {
                break;
            }
        }
        let times = times.unwrap_or(Times::AtLeast(1));
        Ok(Assertion::Happens { moment, times, from, within })
    }

    /// `never`, `once`, `3 times`, `at least 2 times`; None where nothing is said.
    fn times(&mut self) -> Read<Option<Times>> {
        if self.take("never") {
            return Ok(Some(Times::Exactly(0)));
        }
        if self.take("once") {
            return Ok(Some(Times::Exactly(1)));
        }
        let wrap: fn(usize) -> Times = if self.take("at") {
            if self.take("least") {
                Times::AtLeast
            } else if self.take("most") {
                Times::AtMost
            } else {
                return Err(self.one_of(&["least", "most", "end"]));
            }
        } else if self.take("exactly") || self.peek().is_some_and(|n| n.parse::<usize>().is_ok()) {
            Times::Exactly
        } else {
            return Ok(None);
        };
        let n = self.number("a number")?;
        if !self.take("time") {
            self.expect("times")?;
        }
        Ok(Some(wrap(n)))
    }
}
