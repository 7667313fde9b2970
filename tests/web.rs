//! What only a browser can tell: that our counts are its counts, and that the engine built for
//! wasm answers as the native one does. Journeys of a learner are in `tests/e2e`.
#![cfg(target_arch = "wasm32")]

use podlab::text::{from_utf16, to_utf16};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// Texts whose bytes, characters and UTF-16 units differ in number.
const TEXTS: &[&str] =
    &["", "kind: Pod\n", "name: caf\u{e9}\n", "# \u{1f433} whale\n", "\u{1f1e9}\u{1f1ea}\u{0301}"];

#[wasm_bindgen_test]
fn offsets_are_the_browsers() {
    for text in TEXTS {
        for (at, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let units = js_sys::JsString::from(&text[..at]).length();
            assert_eq!(to_utf16(text, at as u32), units, "{text:?} at byte {at}");
            assert_eq!(from_utf16(text, units), at as u32, "{text:?} at unit {units}");
        }
    }
}
