//! Two faces of one binary: the page on wasm32, the command line elsewhere.

#[cfg(target_arch = "wasm32")]
fn main() {
    podlab::ui::start();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    podlab::cli::main()
}
