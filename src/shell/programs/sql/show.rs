//! Rows as `psql` shows them.

use super::client::{Reply, Row};

/// What the options say of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Look {
    pub(super) tuples_only: bool,
    pub(super) unaligned: bool,
    pub(super) separator: Option<String>,
}

fn cell(cell: &Option<(String, bool)>) -> String {
    cell.as_ref().map_or(String::new(), |c| c.0.clone())
}

fn footer(n: usize) -> String {
    if n == 1 { "(1 row)".to_owned() } else { format!("({n} rows)") }
}

impl Look {
    pub(super) fn table(&self, reply: &Reply, title: Option<&str>) -> String {
        if self.unaligned {
            return self.plain(reply);
        }
        let width = |idx: usize| {
            let head = if self.tuples_only { 0 } else { reply.titles[idx].chars().count() };
            let cells = reply.rows.iter().filter_map(|row| row.get(idx));
            cells.map(|c| cell(c).chars().count()).chain([head]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..reply.titles.len()).map(width).collect();
        let whole: usize = widths.iter().map(|w| w + 3).sum::<usize>().saturating_sub(1);
        let mut out = String::new();
        if let Some(title) = title {
            let space = " ".repeat(whole.saturating_sub(title.len()) / 2);
            out.push_str(&format!("{space}{title}\n"));
        }
        if !self.tuples_only {
            let head = reply.titles.iter().zip(&widths).map(|(t, w)| {
                let space = w - t.chars().count();
                format!(" {}{t}{} ", " ".repeat(space / 2), " ".repeat(space - space / 2))
            });
            out.push_str(&format!("{}\n", head.collect::<Vec<_>>().join("|")));
            let line = widths.iter().map(|w| "-".repeat(w + 2));
            out.push_str(&format!("{}\n", line.collect::<Vec<_>>().join("+")));
        }
        for row in &reply.rows {
            out.push_str(&format!("{}\n", aligned(row, &widths)));
        }
        match self.tuples_only {
            true => out.push('\n'),
            false => out.push_str(&format!("{}\n\n", footer(reply.rows.len()))),
        }
        out
    }

    fn plain(&self, reply: &Reply) -> String {
        let separator = self.separator.as_deref().unwrap_or("|");
        let mut out = String::new();
        if !self.tuples_only {
            out.push_str(&format!("{}\n", reply.titles.join(separator)));
        }
        for row in &reply.rows {
            let cells: Vec<String> = row.iter().map(cell).collect();
            out.push_str(&format!("{}\n", cells.join(separator)));
        }
        if !self.tuples_only {
            out.push_str(&format!("{}\n", footer(reply.rows.len())));
        }
        out
    }
}

fn aligned(row: &Row, widths: &[usize]) -> String {
    let last = row.len().saturating_sub(1);
    let cells = row.iter().zip(widths).enumerate().map(|(idx, (value, w))| {
        let text = cell(value);
        let space = " ".repeat(w - text.chars().count().min(*w));
        match value.as_ref().is_some_and(|v| v.1) {
            true => format!(" {space}{text}{}", if idx == last { "" } else { " " }),
            false if idx == last => format!(" {text}"),
            false => format!(" {text}{space} "),
        }
    });
    cells.collect::<Vec<_>>().join("|")
}
