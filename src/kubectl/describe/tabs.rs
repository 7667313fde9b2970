//! Columns as `describe` makes them: cells end with tabs, each block of lines is as wide as its
//! widest cell. Models Go's text/tabwriter with kubectl's settings.

use std::fmt::{Arguments, Write};

const PADDING: usize = 2;

/// A text with tabs that is laid out in the end, or at each flush.
#[derive(Default)]
pub(super) struct Page {
    done: String,
    text: String,
}

impl Page {
    /// Writes at a level of indentation, two spaces each.
    pub(super) fn put(&mut self, level: usize, args: Arguments<'_>) {
        self.text.extend(std::iter::repeat_n("  ", level));
        let _ = self.text.write_fmt(args);
    }

    /// `LABEL:<tab>VALUE` in a line.
    pub(super) fn field(&mut self, level: usize, label: &str, value: &str) {
        self.put(level, format_args!("{label}:\t{value}\n"));
    }

    /// A whole line without columns.
    pub(super) fn line(&mut self, level: usize, text: &str) {
        self.put(level, format_args!("{text}\n"));
    }

    /// Columns after this do not line up with those before.
    pub(super) fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        self.done.push_str(&lay_out(&text));
    }

    /// The text as it was written, tabs and all.
    pub(super) fn raw(self) -> String {
        self.done + &self.text
    }

    pub(super) fn finish(mut self) -> String {
        self.flush();
        self.done
    }
}

pub(in crate::kubectl) fn lay_out(text: &str) -> String {
    let lines: Vec<Vec<&str>> = text.split('\n').map(|line| line.split('\t').collect()).collect();
    let mut out = String::with_capacity(text.len() * 2);
    let mut widths: Vec<Vec<usize>> = lines.iter().map(|line| vec![0; line.len()]).collect();
    let n_columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    for column in 0..n_columns {
        let mut start = 0;
        while start < lines.len() {
            // A cell is in a column when a tab ends it.
            let run = lines[start..].iter().take_while(|line| line.len() > column + 1).count();
            let block = start..start + run;
            let widest = lines[block.clone()].iter().map(|line| line[column].chars().count()).max();
            for idx in block {
                widths[idx][column] = widest.unwrap_or(0) + PADDING;
            }
            start += run + 1;
        }
    }
    for (i, (line, widths)) in lines.iter().zip(&widths).enumerate() {
        for (j, (cell, width)) in line.iter().zip(widths).enumerate() {
            out.push_str(cell);
            if j + 1 < line.len() {
                let room = width.saturating_sub(cell.chars().count());
                out.extend(std::iter::repeat_n(' ', room));
            }
        }
        if i + 1 < lines.len() {
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_line_up_within_blocks() {
        for (text, expected) in [
            ("a:\tb\nlong:\tc\n", "a:     b\nlong:  c\n"),
            ("a:\tb\nplain\nlong:\tc\n", "a:  b\nplain\nlong:  c\n"),
            ("l:\tx=1\n\ty=2\n", "l:  x=1\n    y=2\n"),
            ("  k:\tone\ttwo\n  kk:\tthree\tfour\n", "  k:   one    two\n  kk:  three  four\n"),
        ] {
            assert_eq!(super::lay_out(text), expected, "{text:?}");
        }
    }
}
