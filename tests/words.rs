//! The page's words in other languages: each stands for words that the page really says.

use std::fs;
use std::path::Path;

/// The sources of the page as one text, lines joined where a literal goes on.
fn sources() -> String {
    let mut out = String::new();
    for dir in ["src/ui", "src/ui/el", "src/session"] {
        for entry in fs::read_dir(dir).expect("a folder of sources").flatten() {
            if entry.path().extension().is_some_and(|e| e == "rs") {
                out.push_str(&fs::read_to_string(entry.path()).expect("text"));
            }
        }
    }
    let lines: Vec<&str> = out.split("\\\n").collect();
    lines.iter().map(|line| line.trim_start()).collect()
}

/// Lines of a file of words that are of no use, as sentences.
fn flaws(words: &str, sources: &str) -> Vec<String> {
    let pairs: Vec<(String, String)> = words
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.trim_matches('"').split_once("\": \""))
        .map(|(english, other)| (english.to_owned(), other.to_owned()))
        .collect();
    let n_lines = words.lines().filter(|line| !line.starts_with('#')).count();
    let mut found = Vec::new();
    if n_lines != pairs.len() {
        found.push(format!("{n_lines} lines, but {} pairs", pairs.len()));
    }
    for (i, (english, other)) in pairs.iter().enumerate() {
        if !sources.contains(&format!("\"{english}\"")) {
            found.push(format!("the page does not say `{english}`"));
        }
        if english.matches("{}").count() != other.matches("{}").count() {
            found.push(format!("`{other}` fills other places than `{english}`"));
        }
        if pairs[..i].iter().any(|(earlier, _)| earlier == english) {
            found.push(format!("`{english}` is there twice"));
        }
    }
    found
}

#[test]
fn words_in_other_languages_are_words_of_the_page() {
    let sources = sources();
    for entry in fs::read_dir(Path::new("lessons")).expect("lessons").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("page.") {
            let text = fs::read_to_string(entry.path()).expect("text");
            assert_eq!(flaws(&text, &sources), [""; 0], "{name}");
        }
    }
}

#[test]
fn words_of_no_use_are_found() {
    let wrong = "\"Run\": \"Start\"\n\"Run\": \"Los\"\n\"Fly\": \"Flieg\"\n\"{} s\": \"s\"\nodd\n";
    assert_eq!(flaws(wrong, "\"Run\" \"{} s\"").len(), 4);
}
