//! What a stranger may hand over: HTML that does things, zips and files that are not what they say.

use super::super::{Card, Catalogue, Lesson, Step, Track};
use super::html::clean;
use super::*;

fn card() -> Card {
    let version = "0123456789abcdef".to_owned();
    Card { id: "one/first".into(), title: "First".into(), minutes: 5, version, ..Card::default() }
}

fn lesson(html: &str) -> Lesson {
    let step = Step { title: "Step".into(), html: html.into(), ..Step::default() };
    let (steps, start) = (vec![step], "kind: Pod\n".to_owned());
    Lesson { card: card(), steps, start, run_secs: 10, ..Lesson::default() }
}

fn catalogue() -> Catalogue {
    let track = Track { slug: "one".into(), lessons: vec![card()], ..Track::default() };
    Catalogue { tracks: vec![track], ..Catalogue::default() }
}

fn files(name: &str, lesson: Lesson) -> Result<Vec<(String, Vec<u8>)>, String> {
    write_pack(name, "Ours", &catalogue(), &[lesson])
}

/// A stored zip as `podlab lessons pack` makes it, without its directory, which is not read.
fn zip(files: &[(String, Vec<u8>)], method: u16) -> Vec<u8> {
    let mut out = Vec::new();
    for (path, content) in files {
        let len = (content.len() as u32).to_le_bytes();
        out.extend(b"PK\x03\x04\x0a\0\0\0");
        out.extend(method.to_le_bytes());
        out.extend([0; 8]);
        out.extend([len, len].concat());
        out.extend((path.len() as u16).to_le_bytes());
        out.extend([0, 0]);
        out.extend(path.as_bytes());
        out.extend(content);
    }
    out
}

#[test]
fn html_is_reduced_to_the_list() {
    let pack = PackIndex::read("ours", &files("ours", lesson("")).expect("good")[1].1);
    let pack = pack.expect("an index");
    let long = format!("<p {}>", "x".repeat(2_000));
    let cases = [
        ("<p>a <em>b</em></p>", "<p>a <em>b</em></p>"),
        ("a &amp; b &lt; c & d &copy; > e", "a &amp; b &lt; c &amp; d &amp;copy; &gt; e"),
        ("1 < 2 <3", "1 &lt; 2 &lt;3"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("<SCRIPT src=x></SCRIPT>", ""),
        ("<img src=x onerror=alert(1)>", ""),
        ("<p onclick='a()' style=\"x\" id=shell>t</p>", "<p>t</p>"),
        ("<svg><style><img src=x></style></svg>", ""),
        ("<!-- <b> -->x", " --&gt;x"),
        ("<a href=\"javascript:alert(1)\">x</a>", "<a>x</a>"),
        ("<a href=\"https://kubernetes.io.evil.example/\">x</a>", "<a>x</a>"),
        (
            "<a href='https://kubernetes.io/docs/' target=_top>x</a>",
            "<a href=\"https://kubernetes.io/docs/\">x</a>",
        ),
        ("<a href=\"#/lesson/one/first\">x</a>", "<a href=\"#/lesson/ours/one/first\">x</a>"),
        ("<a href=\"#/lesson/init/first\">x</a>", "<a href=\"#/lesson/init/first\">x</a>"),
        ("<a href=\"#/lesson/a/b?w=1\">x</a>", "<a>x</a>"),
        ("<a href='#/lesson/a/b\"onclick=\"c'>x</a>", "<a>x</a>"),
        ("<span class=\"term-note\" id=\"w1-2\">", "<span class=\"term-note\" id=\"w1-2\">"),
        ("<span class=bar id=app>", "<span>"),
        ("<aside>n</aside>", "<aside class=\"notes\" hidden>n</aside>"),
        ("<code class=\"language-yaml\">", "<code class=\"language-yaml\">"),
        ("<p", "&lt;p"),
        ("<p title=\"<b>", "&lt;p title=\""),
        ("<a/href=\"#/lesson/a/b\"/>", "<a href=\"#/lesson/a/b\">"),
        ("<p><<b>>", "<p>&lt;&gt;"),
        ("\u{e9}<\u{e9}>", "\u{e9}&lt;\u{e9}&gt;"),
    ];
    for (given, expected) in cases {
        assert_eq!(clean(given, &pack), expected, "{given}");
        let once = clean(given, &pack);
        // What is clean stays so, except that a link within the pack is now three names long.
        if !once.contains("/ours/") {
            assert_eq!(clean(&once, &pack), once, "{given}");
        }
    }
    assert!(clean(&long, &pack).starts_with("&lt;p"));
}

#[test]
fn torn_tags_take_time_linear_to_their_number() {
    let pack = PackIndex::default();
    for torn in ["<a ", "<a x=\"", "<a~", "<", "<a x='<b y=\""] {
        let text = torn.repeat((16 << 10) / torn.len());
        assert!(clean(&text, &pack).len() >= text.len() / 8, "{torn}");
    }
}

#[test]
fn a_pack_goes_out_and_comes_in() {
    let files = files("ours", lesson("<p>x</p><script>y</script>")).expect("a good pack");
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["ours/one-first.bin", "ours/pack.bin"]);
    let pack = Pack::from_zip(&zip(&files, 0)).expect("readable");
    let id = &pack.index.tracks[0].lessons[0].id;
    assert_eq!(id, "ours/one/first");
    assert_eq!(file_of(id).as_deref(), Some("ours/one-first.bin"));
    let read = pack.lesson(id).expect("the lesson");
    assert_eq!((read.card.id.as_str(), read.steps[0].html.as_str()), (id.as_str(), "<p>x</p>y"));
    assert!(pack.lesson("ours/one/second").is_err());
    assert!(pack.lesson("../one/first").is_err());
}

#[test]
fn what_is_no_pack_is_told() {
    let good = files("ours", lesson("")).expect("a good pack");
    let renamed = |from: &str, to: &str| {
        let named = good.iter().map(|(name, content)| (name.replace(from, to), content.clone()));
        zip(&named.collect::<Vec<_>>(), 0)
    };
    let whole = zip(&good, 0);
    let other = b"podlab-pack 99\n".to_vec();
    let cases: [(Vec<u8>, &str); 10] = [
        (b"".to_vec(), "no zip"),
        (b"\x89PNG".to_vec(), "no zip"),
        (whole[..whole.len() - 9].to_vec(), "torn"),
        (zip(&good, 8), "not compressed"),
        (renamed("ours/", "../"), "one folder"),
        (renamed("ours/pack", "others/pack"), "one folder"),
        (renamed("ours/", "others/"), "is in a folder called `others`"),
        (renamed("pack.bin", "sack.bin"), "no pack.bin"),
        (zip(&[("ours/pack.bin".into(), other)], 0), "another version"),
        (vec![b'P'; PACK_BYTES_MAX + 1], "8 MiB at most"),
    ];
    for (bytes, expected) in cases {
        let said = Pack::from_zip(&bytes).expect_err(expected);
        assert!(said.contains(expected), "{said:?} lacks {expected:?}");
    }
}

#[test]
fn sizes_and_shapes_have_limits() {
    let mut cases: Vec<(Lesson, &str)> = Vec::new();
    let mut with = |expected, change: &dyn Fn(&mut Lesson)| {
        let mut lesson = lesson("");
        change(&mut lesson);
        cases.push((lesson, expected));
    };
    with("lasts 0 s", &|lesson| lesson.run_secs = 0);
    with("lasts 99999 s", &|lesson| lesson.run_secs = 99_999);
    with("no step", &|lesson| lesson.steps.clear());
    with("Too many hints: 99", &|lesson| lesson.hints = vec![String::new(); 99]);
    with("bytes of a manifest", &|lesson| lesson.start = "x".repeat(200_000));
    with("This lesson is too large", &|lesson| lesson.needs = vec!["x".repeat(50_000); 20]);
    with("the title of a step", &|lesson| lesson.steps[0].title = "x".repeat(5_000));
    for (lesson, expected) in cases {
        let said = files("ours", lesson).expect_err(expected);
        assert!(said.contains(expected), "{said:?} lacks {expected:?}");
    }
    for name in ["", "Ours", "a/b", "..", &"x".repeat(60)] {
        assert!(files(name, lesson("")).is_err(), "{name}");
    }
}

/// The bytes carry no names of fields: an older pack would be misread in silence.
#[test]
fn another_shape_needs_another_number() {
    let filled = Lesson { solution: "s".into(), needs: vec!["n".into()], ..lesson("h") };
    let bytes = postcard::to_allocvec(&(filled, catalogue().tracks)).expect("bytes");
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let known = ("podlab-pack 1\n", 5_523_015_580_753_400_965);
    assert_eq!((FIRST_LINE, hash), known, "raise the number in FIRST_LINE, then note both here");
}

#[test]
fn names_of_packs_are_read() {
    let list = "[\"team-basics\", \"../x\", \"A\", \"two\"]\n";
    assert_eq!(pack_names(list), ["team-basics", "two"]);
    assert_eq!(index_file_of("two"), "two/pack.bin");
    assert_eq!(file_of("a/b"), None);
}
