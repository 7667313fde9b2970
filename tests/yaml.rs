//! The YAML reader: kubectl's resolver and verdicts as a table, spans and marks, recovery, and
//! that no text whatever breaks it.

use podlab::diagnostic::Severity;
use podlab::text::Span;
use podlab::yaml::{self, Node, Parsed, Value};
use proptest::prelude::*;
use std::fmt::Write;

/// The tree as one line of JSON-like text.
fn shown(node: &Node) -> String {
    let mut out = String::new();
    show(node, &mut out);
    out
}

fn show(node: &Node, out: &mut String) {
    let _ = match &node.value {
        Value::Null => write!(out, "null"),
        Value::Bool(truth) => write!(out, "{truth}"),
        Value::Int(number) => write!(out, "{number}"),
        Value::Float(number) => write!(out, "{number}"),
        Value::Str(scalar) => write!(out, "{:?}", scalar.text),
        Value::Seq(items) => {
            out.push('[');
            items.iter().enumerate().for_each(|(i, item)| {
                out.push_str(if i > 0 { "," } else { "" });
                show(item, out);
            });
            write!(out, "]")
        }
        Value::Map(entries) => {
            out.push('{');
            entries.iter().enumerate().for_each(|(i, entry)| {
                let _ = write!(out, "{}{}:", if i > 0 { "," } else { "" }, entry.key);
                show(&entry.value, out);
            });
            write!(out, "}}")
        }
    };
}

/// All documents, `-` for an empty one, then errors after `!` and hazards after `?`.
fn summary(parsed: &Parsed) -> String {
    let docs = parsed.docs.iter().map(|doc| doc.root.as_ref().map_or("-".to_owned(), shown));
    let mut out = docs.collect::<Vec<_>>().join(" ");
    for one in &parsed.diagnostics {
        let words = one.message.trim_start_matches("error converting YAML to JSON: ");
        let sign = if one.severity == Severity::Error { '!' } else { '?' };
        let _ = write!(out, " {sign} {words}");
    }
    out
}

fn check(cases: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (text, expected) in cases {
        let found = summary(&yaml::parse(text));
        if found != *expected {
            wrong.push(format!("{text:?}\n  found    {found}\n  expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// What kubectl makes of plain scalars.
#[test]
fn scalars_resolve_as_in_kubectl() {
    check(&[
        ("[y, Y, yes, Yes, on, ON, true, True]", "[true,true,true,true,true,true,true,true]"),
        ("[n, N, no, off, Off, false, FALSE]", "[false,false,false,false,false,false,false]"),
        ("[~, null, Null, NULL, ]", "[null,null,null,null]"),
        ("[tRue, yEs, nULL, On!]", r#"["tRue","yEs","nULL","On!"]"#),
        ("[0644, 0o644, 0x1F, 0b11, -0b11, 1_000, +1, -0]", "[420,420,31,3,-3,1000,1,0]"),
        ("[08, 1e3, 1.0, .5, 09.5, 1.5e-7]", "[8,1000,1,0.5,9.5,0.00000015]"),
        ("[1:30, 22:22, 12:30:45]", r#"["1:30","22:22","12:30:45"]"#),
        ("[2001-01-01, 1.25.3, 1e400, =, 1__a, 0x]", {
            r#"["2001-01-01","1.25.3","1e400","=","1__a","0x"]"#
        }),
        ("9223372036854775808", "9223372036854776000"),
        ("[!!str 5, ! 5, !!binary aGk=, !foo bar]", r#"["5","5","hi","bar"]"#),
        ("[\"yes\", 'no', \"5\"]", r#"["yes","no","5"]"#),
        ("[!!int \"5\", !!float 1, !!bool y]", "[5,1,true]"),
        ("!!int x", "null ! yaml: cannot decode !!str `x` as a !!int"),
        (".inf", "null ! json: unsupported value: +Inf"),
        (
            "{y: 1, on: 2, 1: 3, 1.5: 4, 0x10: 5}",
            "{true:1,true:2,1:3,1.5:4,16:5} ? key \"true\" \
         stands twice in this map",
        ),
        (
            "{{ .Values.x }}",
            "{} ! json: offset 2: invalid character '{' looking for beginning of object key string",
        ),
    ]);
}

#[test]
fn structure_is_read_as_goyaml_reads_it() {
    check(&[
        ("a:\n- 1\n- 2\nb: {c: [d, e], f: }\n", r#"{a:[1,2],b:{c:["d","e"],f:null}}"#),
        ("a: |\n  x\n   y\n\n  z\n", r#"{a:"x\n y\n\nz\n"}"#),
        ("a: |-\n  x\nb: >\n  x\n  y\n\n  z\n", r#"{a:"x",b:"x y\nz\n"}"#),
        ("a: |+\n  x\n\n", r#"{a:"x\n\n"}"#),
        ("a: |2\n   x\n", r#"{a:" x\n"}"#),
        ("a: |\n  no end", r#"{a:"no end\n"}"#),
        ("a: one\n  two\n\n  three\n", r#"{a:"one two\nthree"}"#),
        ("a: 'it''s'\nb: \"t\\tu\\u00e9\\\n  x\"\n", r#"{a:"it's",b:"t\tuéx"}"#),
        ("a: b\r\nc:\r\n  - d\r\n", r#"{a:"b",c:["d"]}"#),
        ("\u{FEFF}a: b\n", r#"{a:"b"}"#),
        ("{\"a\": {\"b\": [1, true, null]}}", "{a:{b:[1,true,null]}}"),
        ("- - a\n  - b\n- c: d\n  e: f\n", r#"[["a","b"],{c:"d",e:"f"}]"#),
        ("? a\n: b\n", r#"{a:"b"}"#),
        ("[a: b, c]", r#"[{a:"b"},"c"]"#),
        ("- 1\n - 2\n", r#"["1 - 2"]"#),
        ("", "-"),
        ("# only\n", "-"),
    ]);
}

#[test]
fn aliases_and_merge_keys_are_expanded() {
    check(&[
        ("a: &x {b: 1}\nc: *x\n", "{a:{b:1},c:{b:1}}"),
        ("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n", "{a:{b:1,c:2},d:{b:1,c:3}}"),
        ("a: &x {b: 1}\nc: {<<: [*x, {b: 2, d: 3}]}\n", "{a:{b:1},c:{d:3,b:1}}"),
        ("a: {<<: 1}\n", "{a:{}} ! yaml: map merge requires map or sequence of maps as the value"),
        ("a: *x\n", "{a:null} ! yaml: unknown anchor 'x' referenced"),
        ("a: &x [*x]\n", "{a:[null]} ! yaml: anchor 'x' value contains itself"),
        ("a: 1\na: 2\n", "{a:1,a:2} ? key \"a\" stands twice in this map"),
    ]);
    let bomb = (1..9).fold("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, i| {
        let items = vec![format!("*a{}", i - 1); 10].join(",");
        text + &format!("a{i}: &a{i} [{items}]\n")
    });
    let found = yaml::parse(&bomb);
    let last = found.diagnostics.last().expect("a bomb is refused");
    assert!(last.message.ends_with("yaml: document contains excessive aliasing"), "{last:?}");
}

/// goyaml's words and its way of counting lines, and what is understood nevertheless.
#[test]
fn broken_text_gives_kubectls_words_and_the_rest_of_the_tree() {
    check(&[
        (
            "kind: Pod\nmetadata:\n  name: a\n spec:\n  b: c\n",
            "{kind:\"Pod\",metadata:{name:\"a\",b:\"c\"}} ! yaml: line 3: did not find expected key",
        ),
        (
            "a:\n\tb: c\nd: e\n",
            "{a:null,d:\"e\"} ! yaml: line 2: found character that cannot start \
         any token",
        ),
        ("a: b\nc\nd: e\n", "{a:\"b\",d:\"e\"} ! yaml: line 3: could not find expected ':'"),
        ("a: b: c\nd: e\n", "{d:\"e\"} ! yaml: mapping values are not allowed in this context"),
        (
            "a: [b, c\nd: e\n",
            "{a:[\"b\",\"c d\"]} ! yaml: line 1: did not find expected ',' or ']'",
        ),
        (
            "a: 1\n---\nb: [\n---\nc: 3\n",
            "{a:1} {b:[null]} {c:3} ! yaml: line 1: did not find expected \
         node content",
        ),
        ("a: \"b\nc: d\n", "{c:\"d\"} ! yaml: line 3: found unexpected end of stream"),
        ("a: @b\n", "{a:null} ! yaml: found character that cannot start any token"),
        ("a: \u{1}b\n", "{a:null} ! yaml: control characters are not allowed"),
        ("a: 1\n--- x\nb: 2\n", "{a:1} {b:2} ! invalid Yaml document separator: x"),
        ("...\na: 1\n", "{a:1} ! yaml: did not find expected node content"),
        ("a: 1\n...\nb: 2\n", "{a:1} ? kubectl ignores everything from here to the next `---`"),
        ("---\na: 1\n---\n---\n# c\n--- # d\nb: 2\n", "{a:1} - {b:2}"),
    ]);
}

/// Depth, size and noise end in a sentence.
#[test]
fn limits_are_sentences() {
    let deep = "[".repeat(5000);
    let words = |text: &str| yaml::parse(text).diagnostics[0].message.clone();
    assert_eq!(words(&deep), "nested more than 200 levels deep: the lab stops here");
    let big = "a".repeat(5_000_000);
    assert_eq!(words(&big), "4.8 MiB of text: the lab reads 1 MiB at most");
    let noise: String =
        (0..100_000_u32).filter_map(|i| char::from_u32(i * 7919 % 60_000)).collect();
    assert_eq!(
        words(&noise),
        "error converting YAML to JSON: yaml: control characters are not allowed"
    );
}

#[test]
fn spans_and_marks_point_into_the_text() {
    let text =
        "spec:\n  name: 'a b' # why\n  run: |\n    echo one\n    if x; then\n      y\n    fi\n";
    let parsed = yaml::parse(text);
    let root = parsed.docs[0].root.as_ref().expect("a map");
    let entry = root.get("spec").and_then(|spec| spec.entry("name")).expect("present");
    assert_eq!(entry.key_span.of(text), "name");
    assert_eq!(entry.value.span.of(text), "'a b'");
    assert_eq!(parsed.docs[0].comments[0].of(text), "# why");
    let run = root.at(["spec", "run"]).expect("present");
    assert!(run.span.of(text).starts_with("|\n") && run.span.of(text).ends_with("fi"));
    let Value::Str(scalar) = &run.value else { panic!("a string") };
    for word in ["echo", "one", "then", "y\n", "fi"] {
        let at = scalar.text.find(word).expect("in the script");
        let source = scalar.source_offset(at as u32) as usize;
        assert!(text[source..].starts_with(word), "{word}: {:?}", &text[source..]);
    }
    let spec = root.get("spec").expect("present");
    assert_eq!(spec.span, Span::new(text.find("name").expect("there"), text.len() - 1));
}

/// Text, the repair offered, the text after it.
#[test]
fn repairs_are_offered_where_they_help() {
    let cases = [
        ("a:\n\tb: c\n", "Replace tabs by spaces", "a:\n  b: c\n"),
        ("a: b\nname web\nc: d\n", "Put a colon after the key", "a: b\nname: web\nc: d\n"),
        ("a: b\nname:web\nc: d\n", "Put a space after the colon", "a: b\nname: web\nc: d\n"),
        ("a: b: c # d\n", "Put the value in quotes", "a: 'b: c' # d\n"),
        ("a: @b\n", "Put the value in quotes", "a: '@b'\n"),
        ("a: \"b\nc: d\n", "Close the quote", "a: \"b\"\nc: d\n"),
        ("a: [b, c\nd: e\n", "Close the list", "a: [b, c]\nd: e\n"),
        ("a: {b: c\nd: e\n", "Close the map", "a: {b: c}\nd: e\n"),
        ("x: 1\n---\na: [b\nd: e\n", "Close the list", "x: 1\n---\na: [b]\nd: e\n"),
        ("a: b\n c: d\n", "Put the value in quotes", ""),
    ];
    for (text, title, repaired) in cases {
        let parsed = yaml::parse(text);
        let offered = parsed.diagnostics[0].fixes.iter().find(|fix| fix.title == title);
        let found = offered.map_or(String::new(), |fix| podlab::text::apply(text, &fix.edits));
        assert_eq!(found, repaired, "{text:?}: {:?}", parsed.diagnostics[0].fixes);
    }
}

/// Calls `each` for every span of a tree.
fn each_span(node: &Node, each: &mut dyn FnMut(Span)) {
    each(node.span);
    node.items().iter().for_each(|item| each_span(item, each));
    for entry in node.entries() {
        each(entry.key_span);
        each_span(&entry.value, each);
    }
}

fn spans_fit(text: &str, parsed: &Parsed) -> Result<(), String> {
    let mut wrong = None;
    let mut each = |span: Span| {
        if text.get(span.start as usize..span.end as usize).is_none() {
            wrong = Some(format!("{span:?} of {} bytes", text.len()));
        }
    };
    for doc in &parsed.docs {
        each(doc.span);
        doc.comments.iter().for_each(|span| each(*span));
        doc.root.iter().for_each(|root| each_span(root, &mut each));
    }
    for one in &parsed.diagnostics {
        each(one.span);
        one.related.iter().for_each(|(span, _)| each(*span));
    }
    wrong.map_or(Ok(()), Err)
}

const MANIFEST: &str = "# A pod\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  labels: \
    {app: web, tier: \"front\"}\nspec:\n  containers:\n  - name: app\n    image: 'nginx:1.27'\n    \
    command: [sh, -c]\n    args:\n    - |\n      while true; do\n        echo \"é $(date)\"\n      \
    done\n    env:\n    - {name: A, value: \"1\"}\n    resources: &r\n      limits: {cpu: 500m}\n  \
    - name: b\n    image: >-\n      busy\n      box\n    resources: *r\n---\nkind: List\nitems: []\n";

/// Pieces that break or change a manifest.
const PIECES: &[&str] = &[
    "", " ", "\t", "\n", ":", ": ", "- ", "-", "#", "'", "\"", "[", "]", "{", "}", ",", "|", ">",
    "&a ", "*a", "!", "!!int ", "%", "@", "?", "---\n", "...\n", "\r\n", "\u{FEFF}", "é", "\u{85}",
    "\0", "<<: *r\n", "\\", "~", "  ",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn no_edit_breaks_the_reader(edits in prop::collection::vec(
        (0..MANIFEST.len(), 0..24_usize, 0..PIECES.len()), 1..5)) {
        let mut text = MANIFEST.to_owned();
        for (at, cut, piece) in edits {
            let (mut at, mut end) = (at.min(text.len()), (at + cut).min(text.len()));
            while !text.is_char_boundary(at) { at -= 1; }
            while !text.is_char_boundary(end) { end += 1; }
            text.replace_range(at..end, PIECES[piece]);
        }
        let parsed = yaml::parse(&text);
        prop_assert_eq!(spans_fit(&text, &parsed), Ok(()));
    }

    #[test]
    fn no_text_breaks_the_reader(text in "(\\PC|[\n\t:\\[\\]{}#&*!|>'\"%@`,? -]){0,80}") {
        prop_assert_eq!(spans_fit(&text, &yaml::parse(&text)), Ok(()));
    }

    /// Where YAML 1.1 and 1.2 agree, so do we and serde_yaml.
    #[test]
    fn quoted_and_nested_values_read_as_in_serde_yaml(
        keys in prop::collection::btree_map("[a-m][a-z]{1,6}", "[a-z \\n\"'#:é-]{0,30}", 0..6)) {
        let text = serde_yaml::to_string(&serde_json::json!({"outer": [&keys], "n": keys.len()}))
            .expect("YAML");
        let theirs: serde_yaml::Value = serde_yaml::from_str(&text).expect("its own");
        let parsed = yaml::parse(&text);
        let root = parsed.docs[0].root.as_ref().expect("a map");
        for (key, value) in &keys {
            if yaml::resolve_plain(value).is_some() {
                continue;
            }
            let ours = root.at(["outer", "0", key.as_str()]).and_then(Node::as_str);
            prop_assert_eq!(ours, Some(value.as_str()));
            prop_assert_eq!(theirs["outer"][0][key.as_str()].as_str(), ours);
        }
    }
}

/// The comparison itself can fail.
#[test]
#[should_panic(expected = "expected {a:2}")]
fn a_wrong_expectation_fails() {
    check(&[("a: 1", "{a:2}")]);
}

/// What Go's decoder says of a text that should be a JSON object; "" where it is one.
#[test]
fn json_is_refused_in_gos_words() {
    let cases = [
        ("{\"a\": [1, -2.5e3, \"x\\u00e9\", null]}", ""),
        ("", "unexpected end of JSON input"),
        ("{\"a\": }", "invalid character '}' looking for beginning of value"),
        ("{a: 1}", "invalid character 'a' looking for beginning of object key string"),
        ("{\"a\" 1}", "invalid character '1' after object key"),
        ("{\"a\": 1 \"b\"}", "invalid character '\"' after object key:value pair"),
        ("[1 2]", "invalid character '2' after array element"),
        ("{} x", "invalid character 'x' after top-level value"),
        ("{\"a\": trua}", "invalid character 'a' in literal true (expecting 'e')"),
        ("[]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
    ];
    for (text, wanted) in cases {
        let found = yaml::json::object_objection(text).unwrap_or_default();
        assert_eq!(found, wanted, "{text}");
    }
}

/// A text that begins with `{` is read as JSON first; where neither reading works, JSON objects.
#[test]
fn json_documents_are_read_as_kubectl_reads_them() {
    check(&[
        ("{\"a\": 1}{\"b\": 2}\n", "{a:1} {b:2}"),
        ("{\"a\": 1}\n---\nb: 2\n", "{a:1} {b:2}"),
        ("{a: 1}\n", "{a:1}"),
    ]);
    let words = |text: &str| yaml::parse(text).diagnostics[0].message.clone();
    assert_eq!(words("{\"a\": [1, "), "unexpected EOF");
    let wanted = "json: offset 7: invalid character 'x' looking for beginning of value";
    assert_eq!(words("{\"a\": x]\n"), wanted);
    let wanted = "invalid character 'x' looking for beginning of value";
    assert_eq!(words("{\"a\": 1}{\"b\": 2} x\n"), wanted);
}
