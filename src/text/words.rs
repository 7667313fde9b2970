//! Words of a line as a shell has them: split, and quoted again. No expansions.

/// Splits as a POSIX shell does, without expansions; None where a quote never ends.
pub fn split(line: &str) -> Option<Vec<String>> {
    let mut out: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(ch) = chars.next() {
        match ch {
            ' ' | '\t' | '\n' => out.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        ch => word.push(ch),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => match chars.next()? {
                            ch @ ('"' | '\\' | '$' | '`') => word.push(ch),
                            ch => word.extend(['\\', ch]),
                        },
                        ch => word.push(ch),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            ch => word.get_or_insert_default().push(ch),
        }
    }
    out.extend(word);
    Some(out)
}

/// A word as a shell wants it: quoted where it holds more than plain characters.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,+@%*".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_split_as_a_shell_splits_them() {
        for (line, words) in [
            ("get pods", Some(vec!["get", "pods"])),
            (
                r#"exec x -- sh -c "echo 'a b'""#,
                Some(vec!["exec", "x", "--", "sh", "-c", "echo 'a b'"]),
            ),
            (r"a\ b ''", Some(vec!["a b", ""])),
            ("'open", None),
        ] {
            assert_eq!(split(line), words.map(|w| w.into_iter().map(str::to_owned).collect()));
        }
    }

    #[test]
    fn quoted_words_split_into_themselves() {
        for word in ["plain", "", "a b", "it's", "$HOME \"x\""] {
            assert_eq!(split(&quote(word)), Some(vec![word.to_owned()]), "{word}");
        }
    }
}
