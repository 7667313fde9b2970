//! Any text -> diagnostics -> repairs, completions, hovers and names at a place in it. A repair
//! leaves fewer problems like the one it repairs.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podlab::check;
use podlab::diagnostic::Diagnostic;
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
            let after = check::check_with(&apply(&text, &fix.edits), at % 2 == 0).diagnostics;
            let alike = |other: &&Diagnostic| {
                (&other.code, &other.field, &other.message)
                    == (&one.code, &one.field, &one.message)
            };
            let (n_before, n_after) =
                (found.iter().filter(alike).count(), after.iter().filter(alike).count());
            assert!(n_after < n_before, "`{}` repairs nothing of {one:?}", fix.title);
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
