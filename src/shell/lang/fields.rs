//! Field splitting. Models ifsbreakup() of busybox ash.

use super::pattern::{BREAK, Ch, MARK, SPLIT};

#[derive(Default)]
struct Splitter {
    fields: Vec<Vec<Ch>>,
    current: Vec<Ch>,
    exists: bool,
}

impl Splitter {
    fn end_field(&mut self) {
        self.fields.push(std::mem::take(&mut self.current));
        self.exists = false;
    }
}

/// Splits an expanded word into fields.
pub(super) fn split(chars: &[Ch], ifs: &str) -> Vec<Vec<Ch>> {
    let is_white = |c: char| matches!(c, ' ' | '\t' | '\n' | '\0');
    let in_ifs = |ch: &Ch| ch.flags & SPLIT != 0 && (ch.flags & BREAK != 0 || ifs.contains(ch.c));
    let mut splitter = Splitter::default();
    let mut at = 0;
    while let Some(ch) = chars.get(at) {
        at += 1;
        if ch.flags & MARK != 0 {
            splitter.exists = true;
        } else if ch.flags & (BREAK | SPLIT) == BREAK {
            // Between the arguments of "$@": a field each, even an empty one.
            splitter.end_field();
            splitter.exists = true;
        } else if !in_ifs(ch) {
            splitter.current.push(*ch);
            splitter.exists = true;
        } else {
            let mut white = is_white(ch.c);
            if white && !splitter.exists {
                continue;
            }
            splitter.end_field();
            // White space around one other separator belongs to it.
            while let Some(next) = chars.get(at).filter(|next| in_ifs(next)) {
                if !is_white(next.c) {
                    if !white {
                        break;
                    }
                    white = false;
                }
                at += 1;
            }
        }
    }
    if splitter.exists {
        splitter.end_field();
    }
    splitter.fields
}
