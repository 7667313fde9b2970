//! The web worker's face: answers the page's requests with the engine. Native: nothing to do.

#[cfg(target_arch = "wasm32")]
fn main() {
    podlab::ui::worker::start();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {}
