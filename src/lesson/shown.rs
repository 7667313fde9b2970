//! What a lesson's prose shows: outputs made by running its manifests, and half-written lines that
//! have to fit what they lead to. Judges no goals. Native only.

use super::contract::scenario;
use super::{Lesson, Output};
use crate::kubectl;

/// What the console prints for it; an error's words where there is one.
pub(super) fn printed(output: &Output, lesson: &Lesson) -> Result<String, String> {
    let Output { of, at, run } = output;
    let manifest = lesson.manifest(of).ok_or_else(|| format!("`{of}`, which is no manifest"))?;
    let said = kubectl::run_at(&mut scenario(manifest, lesson).1, *at, run);
    match (said.exit, said.out.trim_end()) {
        (0, "") => Err(format!("`{run}`, which prints nothing")),
        (0, out) => Ok(out.to_owned()),
        _ => Err(format!("`{run}`, which says: {}{}", said.out, said.err)),
    }
}

/// Puts what is printed where the prose shows it.
pub(super) fn fill_outputs(lesson: &mut Lesson) {
    for number in 0..lesson.outputs.len() {
        let Some(output) = lesson.outputs.get(number) else { continue };
        let text = printed(output, lesson).unwrap_or_default();
        let text = escaped(&format!("$ {}\n{text}\n", output.run));
        for step in &mut lesson.steps {
            step.html = step.html.replace(&format!("{{{{output {number}}}}}"), &text);
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The lines of code in a hint's HTML that have a gap.
pub(super) fn gapped(html: &str) -> Vec<String> {
    let codes = html.split("<code").skip(1).filter_map(|rest| {
        let (_, code) = rest.split_once('>')?;
        Some(code.split_once("</code>")?.0)
    });
    let lines = codes.flat_map(str::lines).filter(|line| line.contains(GAP));
    lines.map(unescaped).collect()
}

/// What is left out of a half-written line.
pub(super) const GAP: &str = "______";

fn unescaped(html: &str) -> String {
    let text = html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&amp;", "&")
}

/// Whether some line of the text has the line's pieces, in their order, with anything in its gaps.
/// Blanks are not compared.
pub(super) fn fits(line: &str, text: &str) -> bool {
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    let line = bare(line);
    let pieces: Vec<&str> = line.split(GAP).collect();
    text.lines().map(bare).any(|own| {
        let mut rest = own.as_str();
        pieces.iter().all(|piece| match rest.split_once(piece) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_lines_fit_what_they_lead_to() {
        let cases = [
            ("sleep ______", "  echo a\n  sleep 5\n", true),
            ("sleep ______ ", "  echo a\n", false),
            ("a ______ c", "a b c", true),
            ("a ______ c", "c b a", false),
            ("a ______", "b\na", true),
        ];
        for (line, text, fit) in cases {
            assert_eq!(fits(line, text), fit, "{line:?} in {text:?}");
        }
        let html = "<p>Say <code>a &lt; ______</code>, or:</p>\
                    <pre><code class=\"x\">b\nc ______\n</code></pre>";
        assert_eq!(gapped(html), ["a < ______", "c ______"]);
    }
}
