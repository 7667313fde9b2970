//! The debrief told from the learner's own run: `{{because N}}` and `{{at N}}` in its HTML become
//! a sentence and an instant. Writes no HTML but escaped text.

use super::GoalResult;

/// `results` are the judgements of the lesson's `debrief_goals`, in order.
pub fn fill_debrief(html: &str, results: &[GoalResult]) -> String {
    let mut out = String::with_capacity(html.len() + 256);
    let mut rest = html;
    while let Some((before, from)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((inner, after)) = from.split_once("}}") else {
            out.push_str("{{");
            rest = from;
            continue;
        };
        match told(inner, results) {
            Some(text) => escape_into(&mut out, &text),
            None => out.push_str("(this run does not tell)"),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn told(inner: &str, results: &[GoalResult]) -> Option<String> {
    let (what, number) = inner.split_once(' ')?;
    let result = results.get(number.parse::<usize>().ok()?)?;
    match what {
        "because" => Some(result.because.clone()),
        "at" => result.at.map(|at| format!("{at} s")),
        _ => None,
    }
}

fn escape_into(out: &mut String, text: &str) {
    for ch in text.chars() {
        match ch {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(ch),
        }
    }
}
