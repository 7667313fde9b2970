//! Any text -> diagnostics -> repairs, completions, hovers and names at a place in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podlab::check;
use podlab::text::apply;

fuzz_target!(|data: &[u8]| {
    let Some((at, rest)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    let found = check::check_with(&text, at % 2 == 0).diagnostics;
    for one in &found {
        let (start, end) = (one.span.start as usize, one.span.end as usize);
        assert!(start <= end && end <= text.len(), "{one:?}");
        assert!(text.get(start..end).is_some(), "cuts a letter: {one:?}");
        for fix in &one.fixes {
            let repaired = apply(&text, &fix.edits);
            check::check(&repaired);
        }
    }
    check::kubectl::create(&text);
    let offset = text.len() * usize::from(*at) / 256;
    check::complete(&text, offset);
    check::hover(&text, offset);
    check::links(&text, offset);
    let renamed = check::rename(&text, offset, "renamed");
    apply(&text, &renamed.edits);
});
