//! The worker's files, as a pre_build hook of trunk: compiled, taken apart where `src/worker.rs`
//! says so, given their JavaScript and made small. Trunk itself knows nothing of parts.

use crate::run::{Done, command, files, io, root, run};
use std::path::Path;

const NAME: &str = "podlab-worker";
const TARGET: &str = "wasm32-unknown-unknown";
/// Where the linked program is taken apart, and where what index.html copies is put.
const PARTS: &str = "target/worker/parts";
const SITE: &str = "target/worker/site";
/// What the Rust target uses of WebAssembly; a part carries no section that says so.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// An error inside a promise never reaches the page's `onerror`; one thrown later does.
const START: &str = "import init from \"./podlab-worker.js\";\n\
    init().catch((error) => setTimeout(() => { throw error; }));\n";

/// Entry: trunk says in the environment which profile it builds.
pub fn hook() -> Done {
    let release = std::env::var("TRUNK_PROFILE").is_ok_and(|profile| profile == "release");
    let profile = if release { "release" } else { "fast" };
    let args = ["build", "--quiet", "--locked", "--target", TARGET, "--bin", NAME];
    let mut build = command("cargo", &args);
    build.args(["--profile", profile]);
    run(build)?;
    for dir in [PARTS, SITE] {
        fresh(&root().join(dir))?;
    }
    let linked = format!("target/{TARGET}/{profile}/{NAME}.wasm");
    run(command("wasm-split-cli", &[&linked, PARTS, "--target", "web", "--out-name", NAME]))?;
    let main = format!("{PARTS}/{NAME}.wasm");
    // Parts call into the main program through the table that the linker exports.
    let web = ["--target", "web", "--no-typescript", "--keep-lld-exports", "--out-dir", SITE];
    let mut bindgen = command("wasm-bindgen", &web);
    bindgen.arg(main);
    run(bindgen)?;
    let site = root().join(SITE);
    for name in files(&root().join(PARTS)) {
        let from = root().join(PARTS).join(&name);
        if name.ends_with(".js") {
            let script = io(&from, std::fs::read_to_string(&from))?;
            io(&site, std::fs::write(site.join(&name), for_any_host(&script)?))?;
        } else if name != format!("{NAME}.wasm") {
            io(&from, std::fs::copy(&from, site.join(&name)))?;
        }
    }
    io(&site, std::fs::write(site.join("start.js"), START))?;
    for name in files(&site).iter().filter(|name| release && name.ends_with(".wasm")) {
        let file = format!("{SITE}/{name}");
        let mut small = command("wasm-opt", &["-Oz", "--strip-debug", &file, "-o", &file]);
        // The linker puts nothing into the first kilobyte.
        small.arg("--low-memory-unused").args(FEATURES);
        run(small)?;
    }
    Ok(())
}

fn fresh(dir: &Path) -> Done {
    if dir.exists() {
        io(dir, std::fs::remove_dir_all(dir))?;
    }
    io(dir, std::fs::create_dir_all(dir))
}

/// Compiling while it comes wants the content type that not every static host sends.
fn for_any_host(script: &str) -> Done<String> {
    const STREAMING: &str = "WebAssembly.instantiateStreaming(src, imports)";
    const WHOLE: &str = "WebAssembly.instantiate(await (await src).arrayBuffer(), imports)";
    let made = script.replace(STREAMING, WHOLE);
    if made == script { Err(format!("no part is loaded by `{STREAMING}`")) } else { Ok(made) }
}

#[cfg(test)]
mod tests {
    use super::for_any_host;

    #[test]
    fn parts_load_whatever_the_content_type() {
        let made = for_any_host("return (WebAssembly.instantiateStreaming(src, imports));");
        assert!(made.is_ok_and(|made| made.contains("arrayBuffer") && !made.contains("Streaming")));
        assert!(for_any_host("nothing of the kind").is_err());
    }
}
