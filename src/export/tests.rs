//! What leaves the lab: the zip's bytes and the script's words.

use super::zip::crc32;
use super::{Bundle, bundle, cluster_script, share, unshare, zip};
use crate::kube::Desired;
use crate::lesson::{Goal, Task};
use crate::time::SimTime;

#[test]
fn checksums_are_those_of_the_standard() {
    for (bytes, expected) in [("", 0), ("123456789", 0xCBF4_3926), ("a", 0xE8B7_BE43)] {
        assert_eq!(crc32(bytes.as_bytes()), expected, "{bytes}");
    }
}

#[test]
fn a_zip_lists_its_files_at_the_end() {
    let made = zip(&[("a/b.txt".into(), b"hello\n".to_vec()), ("c.sh".into(), Vec::new())]);
    let end = &made[made.len() - 22..];
    assert_eq!(&end[..4], b"PK\x05\x06");
    assert_eq!(end[10], 2, "entries");
    let at = u32::from_le_bytes([end[16], end[17], end[18], end[19]]) as usize;
    assert_eq!(&made[at..at + 4], b"PK\x01\x02");
    assert_eq!(&made[30..30 + 7], b"a/b.txt");
    assert_eq!(&made[37..43], b"hello\n");
}

#[test]
fn the_manifest_is_kept_to_the_byte() {
    let text = "a: 1   # kept\r\n\tnot yaml\n\u{e4}";
    let made = bundle(&Bundle { name: "x", ..Bundle::default() }, text, &Desired::default());
    let found = made.windows(text.len()).filter(|w| *w == text.as_bytes()).count();
    assert_eq!(found, 1);
}

#[test]
fn goals_become_calls_of_the_script() {
    let goal = "container app logs \"it's up\" at least 2 times
container shipper starts before container app starts
pod shop reaches 2/2 Running within 20s
container app restarts never
request from app to localhost:6379 succeeds
file volume:logs/app.log contains \"a.b\"";
    let task =
        Task { id: "a".into(), text: "Do <code>it</code>".into(), goal: Some(Goal(goal.into())) };
    let about = Bundle {
        tasks: &[task],
        actions: &[(SimTime::from_secs(40), "delete pod/shop".into())],
        run_secs: 60,
        ..Bundle::default()
    };
    let script = cluster_script(&about, &Desired::default());
    for expected in [
        "\nsleep 40\nk delete pod/shop --wait=false\nsleep 20\n",
        "task 'Do it'",
        "logs app 2 any -F 'it'\\''s up'",
        "earlier shipper starts app starts",
        "row shop 2/2 Running",
        "restarts app 0 0",
        "skip 'the cluster does not record requests'",
        "skip 'no container mounts the volume'",
    ] {
        assert!(script.contains(expected), "no {expected:?} in\n{script}");
    }
}

#[test]
fn a_shared_link_brings_the_text_back() {
    let base: String = (0..200).map(|n| format!("line {n}\n")).collect();
    let small = base.replace("line 77\n", "line 77  # changed\n");
    let two = small.replace("line 150\n", "").replace("line 9\n", "line 9\nnew \u{e4}\n");
    let cases = [
        (base.as_str(), base.as_str(), 7),
        (&base, &small, 40),
        (&base, &two, 70),
        (&base, "", 15),
        ("", "no end", 25),
        ("a\nb\n", "b\na", 25),
    ];
    for (base, text, len_max) in cases {
        let link = share(base, text);
        assert!(link.len() <= len_max, "{} characters: {link}", link.len());
        assert!(link.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{link}");
        assert_eq!(unshare(base, &link).as_deref(), Ok(text));
    }
}

#[test]
fn a_damaged_link_is_told() {
    let base = "a\nb\nc\n";
    let link = share(base, "a\nx\nc\n");
    let cases = [
        ("2abc".to_owned(), "newer"),
        ("1abc".to_owned(), "cut short"),
        (link.replacen(&link[1..7], "000000", 1), "another version"),
        (link[..link.len() - 1].to_owned(), "damaged"),
        (format!("{link}!"), "damaged"),
        (format!("{}____", &link[..7]), "damaged"),
    ];
    for (link, expected) in cases {
        let error = unshare(base, &link).expect_err(&link);
        assert!(error.contains(expected), "{link}: {error}");
    }
}
