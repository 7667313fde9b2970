//! Shell patterns: `*`, `?`, `[...]` over characters, some of them quoted.

/// A character of an expanded word, and how it came there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shell) struct Ch {
    pub(in crate::shell) c: char,
    pub(in crate::shell) flags: u8,
}

/// It stands for itself.
pub(in crate::shell) const QUOTED: u8 = 1;
/// It came from an expansion outside quotes and may split.
pub(in crate::shell) const SPLIT: u8 = 2;
/// Not a character: a field ends here whatever IFS says.
pub(in crate::shell) const BREAK: u8 = 4;
/// Not a character: there were quotes here, so the field exists even when empty.
pub(in crate::shell) const MARK: u8 = 8;

#[derive(Clone, Debug)]
enum Piece {
    Char(char),
    One,
    Many,
    Set { not: bool, items: Vec<SetItem> },
}

#[derive(Clone, Debug)]
enum SetItem {
    Range(char, char),
    Class(Class),
}

/// A named class of characters.
type Class = fn(char) -> bool;

/// A pattern ready to match.
#[derive(Clone, Debug)]
pub(in crate::shell) struct Pattern {
    pieces: Vec<Piece>,
}

impl Pattern {
    pub(in crate::shell) fn new(chars: &[Ch]) -> Pattern {
        let chars: Vec<Ch> =
            chars.iter().copied().filter(|ch| ch.flags & (MARK | BREAK) == 0).collect();
        let mut pieces = Vec::new();
        let mut at = 0;
        while let Some(ch) = chars.get(at) {
            at += 1;
            if ch.flags & QUOTED != 0 {
                pieces.push(Piece::Char(ch.c));
                continue;
            }
            match ch.c {
                '*' if matches!(pieces.last(), Some(Piece::Many)) => {}
                '*' => pieces.push(Piece::Many),
                '?' => pieces.push(Piece::One),
                '\\' => {
                    pieces.push(Piece::Char(chars.get(at).map_or('\\', |next| next.c)));
                    at += 1;
                }
                '[' => match set(&chars[at..]) {
                    Some((piece, n)) => {
                        pieces.push(piece);
                        at += n;
                    }
                    None => pieces.push(Piece::Char('[')),
                },
                c => pieces.push(Piece::Char(c)),
            }
        }
        Pattern { pieces }
    }

    /// Whether anything in it can match more than itself.
    pub(in crate::shell) fn is_magic(&self) -> bool {
        self.pieces.iter().any(|piece| !matches!(piece, Piece::Char(_)))
    }

    /// The text it stands for, where nothing is magic.
    pub(in crate::shell) fn plain(&self) -> String {
        let char_of = |piece: &Piece| match piece {
            Piece::Char(c) => Some(*c),
            _ => None,
        };
        self.pieces.iter().filter_map(char_of).collect()
    }

    /// Whether it starts with a literal dot, which hidden files want.
    pub(in crate::shell) fn starts_with_dot(&self) -> bool {
        matches!(self.pieces.first(), Some(Piece::Char('.')))
    }

    pub(in crate::shell) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Whether the whole of `text` matches. Linear but for one star to fall back to.
    pub(in crate::shell) fn matches(&self, text: &[char]) -> bool {
        let (mut at, mut piece_at) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        loop {
            let fits = match self.pieces.get(piece_at) {
                None if at == text.len() => return true,
                None => false,
                Some(Piece::Many) => {
                    star = Some((piece_at, at));
                    piece_at += 1;
                    continue;
                }
                Some(piece) => text.get(at).is_some_and(|c| piece.fits(*c)),
            };
            if fits {
                at += 1;
                piece_at += 1;
                continue;
            }
            match star {
                Some((star_at, from)) if from < text.len() => {
                    star = Some((star_at, from + 1));
                    piece_at = star_at + 1;
                    at = from + 1;
                }
                _ => return false,
            }
        }
    }

    /// Where a match of a beginning of `text` ends: the longest or the shortest one, at `least`
    /// characters long. All ways through the pattern are followed side by side, so the cost is
    /// the text's length times the pattern's. Also tells how many characters were looked at.
    pub(super) fn prefix_end(
        &self,
        text: &[char],
        longest: bool,
        least: usize,
    ) -> (Option<usize>, usize) {
        let n = self.pieces.len();
        let mut alive = vec![false; n + 1];
        self.reach(&mut alive, 0);
        let mut found = (alive[n] && least == 0).then_some(0);
        let mut at = 0;
        while at < text.len() && (longest || found.is_none()) && alive.contains(&true) {
            let mut next = vec![false; n + 1];
            for (i, piece) in self.pieces.iter().enumerate().filter(|(i, _)| alive[*i]) {
                match piece {
                    Piece::Many => self.reach(&mut next, i),
                    _ if piece.fits(text[at]) => self.reach(&mut next, i + 1),
                    _ => {}
                }
            }
            at += 1;
            alive = next;
            if alive[n] && at >= least {
                found = Some(at);
            }
        }
        (found, at)
    }

    /// Marks a place in the pattern as reached, and those behind stars, which may match nothing.
    fn reach(&self, alive: &mut [bool], from: usize) {
        for (i, place) in alive.iter_mut().enumerate().skip(from) {
            *place = true;
            if !matches!(self.pieces.get(i), Some(Piece::Many)) {
                return;
            }
        }
    }

    /// The pattern for texts written backwards.
    pub(super) fn backwards(&self) -> Pattern {
        let mut turned = self.clone();
        turned.pieces.reverse();
        turned
    }
}

impl Piece {
    fn fits(&self, c: char) -> bool {
        match self {
            Piece::Char(own) => *own == c,
            Piece::One => true,
            Piece::Many => false,
            Piece::Set { not, items } => {
                let inside = items.iter().any(|item| match item {
                    SetItem::Range(from, to) => (*from..=*to).contains(&c),
                    SetItem::Class(is) => is(c),
                });
                inside != *not
            }
        }
    }
}

/// What follows `[`: the set, and how many characters it took. `None` when it never closes.
fn set(chars: &[Ch]) -> Option<(Piece, usize)> {
    let bare =
        |at: usize, c: char| chars.get(at).is_some_and(|x| x.c == c && x.flags & QUOTED == 0);
    let not = bare(0, '!') || bare(0, '^');
    let first = usize::from(not);
    let mut at = first;
    let mut items = Vec::new();
    loop {
        let ch = chars.get(at)?;
        if bare(at, ']') && at > first {
            return Some((Piece::Set { not, items }, at + 1));
        }
        if bare(at, '[')
            && bare(at + 1, ':')
            && let Some((class, n)) = class(&chars[at + 2..])
        {
            items.push(SetItem::Class(class));
            at += 2 + n;
            continue;
        }
        let mut from = ch.c;
        if bare(at, '\\') {
            at += 1;
            from = chars.get(at)?.c;
        }
        at += 1;
        if bare(at, '-') && chars.get(at + 1).is_some() && !bare(at + 1, ']') {
            at += 1;
            if bare(at, '\\') {
                at += 1;
            }
            let to = chars.get(at)?.c;
            at += 1;
            items.push(SetItem::Range(from, to));
        } else {
            items.push(SetItem::Range(from, from));
        }
    }
}

/// `alpha:]` and its like: what it tests, and its length.
fn class(chars: &[Ch]) -> Option<(Class, usize)> {
    let text: String = chars.iter().take(12).map(|ch| ch.c).collect();
    let (name, _) = text.split_once(":]")?;
    let test: Class = match name {
        "alpha" => |c| c.is_alphabetic(),
        "digit" => |c| c.is_ascii_digit(),
        "alnum" => |c| c.is_alphanumeric(),
        "upper" => |c| c.is_uppercase(),
        "lower" => |c| c.is_lowercase(),
        "space" => |c| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}'),
        "blank" => |c| matches!(c, ' ' | '\t'),
        "punct" => |c| c.is_ascii_punctuation(),
        "xdigit" => |c| c.is_ascii_hexdigit(),
        "cntrl" => |c| c.is_control(),
        "print" => |c| !c.is_control(),
        "graph" => |c| !c.is_control() && c != ' ',
        _ => return None,
    };
    Some((test, name.chars().count() + 2))
}
