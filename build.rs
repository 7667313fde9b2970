//! Link arguments of the browser's binaries; nothing is generated.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let arch = std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    if arch == "wasm32" {
        // Commands within commands, and polling them, need more than the usual megabyte of stack.
        println!("cargo:rustc-link-arg-bins=-zstack-size=4194304");
        // What takes the worker apart has to know which function needs which.
        println!("cargo:rustc-link-arg-bin=podlab-worker=--emit-relocs");
    }
}
