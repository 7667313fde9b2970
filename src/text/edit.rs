//! Edits: what they do to positions, and the smallest one between two texts.

use super::{Edit, Span};

impl Edit {
    /// The edit that turns `old` into `new`, as small as it can be; empty where they are equal.
    pub fn between(old: &str, new: &str) -> Edit {
        let same = |a: &mut dyn Iterator<Item = char>, b: &mut dyn Iterator<Item = char>| {
            a.zip(b).take_while(|(x, y)| x == y).map(|(x, _)| x.len_utf8()).sum::<usize>()
        };
        let start = same(&mut old.chars(), &mut new.chars());
        let (old_rest, new_rest) = (&old[start..], &new[start..]);
        let end = same(&mut old_rest.chars().rev(), &mut new_rest.chars().rev());
        Edit {
            span: Span::new(start, old.len() - end),
            text: new_rest[..new_rest.len() - end].to_owned(),
        }
    }

    /// Where a position stands afterwards. Text put in right at it goes before it if `pushed`;
    /// one inside the replaced text goes to the nearer side that `pushed` names.
    pub fn moved_at(&self, at: u32, pushed: bool) -> u32 {
        let end = self.span.start + self.text.len() as u32;
        match at {
            _ if at < self.span.start || (at == self.span.start && !pushed) => at,
            _ if at >= self.span.end => at - self.span.end + end,
            _ if pushed => end,
            _ => self.span.start,
        }
    }

    /// Where a span stands afterwards; None where all of it was replaced.
    pub fn moved(&self, span: Span) -> Option<Span> {
        let gone = self.span.start <= span.start && span.end <= self.span.end;
        if gone && !self.span.is_empty() && !span.is_empty() {
            return None;
        }
        let start = self.moved_at(span.start, true);
        let end = self.moved_at(span.end, false);
        Some(Span { start, end: end.max(start) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::apply;

    /// Old and new text with the marked part in brackets; `-` for none left.
    #[test]
    fn marks_move_with_their_text() {
        let cases = [
            ("ab[cd]ef", "Xab[cd]ef"),
            ("ab[cd]ef", "ab[cd]eXf"),
            ("ab[cd]ef", "ab[cXd]ef"),
            ("ab[cd]ef", "b[cd]ef"),
            ("ab[cd]ef", "ab[d]ef"),
            ("ab[cd]ef", "abX[cd]ef"),
            ("ab[cd]ef", "aXb[cd]ef"),
            ("ab[cd]ef", "af -"),
            ("é[ü]ö", "éé[ü]ö"),
        ];
        for (old, new) in cases {
            let (old, span) = unmark(old);
            let (new, expected) = unmark(new);
            let edit = Edit::between(&old, &new);
            assert_eq!(apply(&old, std::slice::from_ref(&edit)), new);
            let moved = span.and_then(|span| edit.moved(span));
            assert_eq!(moved, expected, "{old} -> {new} by {edit:?}");
        }
        assert_eq!(Edit::between("a", "a"), Edit { span: Span::new(1, 1), text: String::new() });
    }

    fn unmark(text: &str) -> (String, Option<Span>) {
        let text = text.trim_end_matches(" -");
        let bare = text.replace(['[', ']'], "");
        let span = text.find('[').zip(text.find(']')).map(|(from, to)| Span::new(from, to - 1));
        (bare, span)
    }
}
