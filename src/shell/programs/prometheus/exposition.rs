//! The text form metrics are exposed in.

use super::labels::Labels;

/// One line: name among the labels as `__name__`, and value.
pub(super) type Sample = (Labels, f64);

/// Reads a page; the error is Prometheus' own words.
// Models prometheus model/textparse/promparse.go.
pub(super) fn read(text: &str) -> Result<Vec<Sample>, String> {
    let mut out = Vec::new();
    for line in text.lines() {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        out.push(sample(line)?);
    }
    Ok(out)
}

fn invalid(expected: &str, line: &str, at: usize) -> String {
    let got = line.get(at..).and_then(|rest| rest.chars().next());
    let got = got.map_or("\\n".to_owned(), |c| c.to_string());
    let shown = line.get(..at).unwrap_or(line);
    format!("expected {expected}, got \"{got}\" (\"INVALID\") while parsing: \"{shown}{got}\"")
}

fn sample(line: &str) -> Result<Sample, String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let end = line.find(|c| !is_name(c)).unwrap_or(line.len());
    if end == 0 || line.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(invalid("a valid start token", line, 0));
    }
    let mut labels = Labels::new();
    labels.insert("__name__".to_owned(), line[..end].to_owned());
    let mut at = end;
    if line[at..].starts_with('{') {
        at = pairs(line, at + 1, &mut labels)?;
    }
    let rest = line[at..].trim_start();
    let word = rest.split_whitespace().next().unwrap_or("");
    let value = match word {
        "+Inf" | "Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        word => word
            .parse()
            .map_err(|_| invalid("value after metric", line, line.len() - rest.len()))?,
    };
    Ok((labels, value))
}

/// Labels up to the bracket that closes them; where they end.
fn pairs(line: &str, from: usize, labels: &mut Labels) -> Result<usize, String> {
    let mut at = from;
    loop {
        at += line[at..].len() - line[at..].trim_start_matches([' ', ',']).len();
        if line[at..].starts_with('}') {
            return Ok(at + 1);
        }
        let Some(equals) = line[at..].find('=') else {
            return Err(invalid("label name", line, at));
        };
        let name = line[at..at + equals].trim().to_owned();
        at += equals + 1;
        if !line[at..].starts_with('"') {
            return Err(invalid("label value", line, at));
        }
        let mut value = String::new();
        let mut chars = line[at + 1..].char_indices();
        let mut end = None;
        while let Some((idx, c)) = chars.next() {
            match c {
                '"' => {
                    end = Some(at + 1 + idx + 1);
                    break;
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, c)) => value.push(c),
                    None => {}
                },
                c => value.push(c),
            }
        }
        let Some(end) = end else { return Err(invalid("label value", line, at)) };
        labels.insert(name, value);
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_or_told() {
        let page = "# HELP a b\na{x=\"1\",y=\"q\\\"r\"} 2.5\nb 3 1700000000\n";
        let found = read(page).expect("good");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].0.get("y").map(String::as_str), Some("q\"r"));
        assert_eq!(found[1].1, 3.0);
        let bad = read("<html>").unwrap_err();
        assert_eq!(
            bad,
            "expected a valid start token, got \"<\" (\"INVALID\") while parsing: \"<\""
        );
        assert!(read("a{x=1} 2").is_err());
    }
}
