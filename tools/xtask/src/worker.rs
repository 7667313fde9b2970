//! The worker's files, as a pre_build hook of trunk: compiled, taken apart where `src/worker.rs`
//! says so, given their JavaScript, cut in what the first lesson runs and the rest, and made small.
//! Trunk itself knows nothing of parts.

use crate::run::{Done, command, files, io, root, run};
use std::path::Path;

const NAME: &str = "podlab-worker";
const TARGET: &str = "wasm32-unknown-unknown";
/// Where the linked program is taken apart, and where what index.html copies is put.
const PARTS: &str = "target/worker/parts";
const SITE: &str = "target/worker/site";
/// The script that loads parts, and the second half.
const LOADER: &str = "./__wasm_split.js";
/// Where the program runs before it is cut, outside of any browser.
const PLAY: &str = "target/worker/play";
/// What everybody opens first: what it runs is what the first half of the program is.
const FIRST_LESSON: &str = "start/first-run";
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
/// As `START`; the second half follows when the first verdict has long been there.
const START_CUT: &str = "import init from \"./podlab-worker.js\";\n\
    import { warm } from \"./__wasm_split.js\";\n\
    init().then(() => setTimeout(warm, 2000), (error) => setTimeout(() => { throw error; }));\n";

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
    let start = if release { START_CUT } else { START };
    io(&site, std::fs::write(site.join("start.js"), start))?;
    if release {
        cut()?;
    }
    for name in files(&site).iter().filter(|name| release && name.ends_with(".wasm")) {
        let file = format!("{SITE}/{name}");
        let mut small = command("wasm-opt", &["-Oz", "--strip-debug", &file, "-o", &file]);
        // The linker puts nothing into the first kilobyte.
        small.arg("--low-memory-unused").args(FEATURES);
        run(small)?;
    }
    Ok(())
}

/// Makes two programs of the one in `SITE`: what a visit of the first lesson runs stays in it.
fn cut() -> Done {
    let (site, play) = (root().join(SITE), root().join(PLAY));
    fresh(&play)?;
    for name in files(&site) {
        io(&site, std::fs::copy(site.join(&name), play.join(&name)))?;
    }
    let put = |name: &str, text: &str| io(&play, std::fs::write(play.join(name), text));
    put("package.json", "{\"type\": \"module\"}\n")?;
    put("play.mjs", include_str!("play.mjs"))?;
    let at = |dir: &str, name: &str| format!("{dir}/{name}");
    let (visit, ran) = (at(PLAY, "visit"), at(PLAY, "ran"));
    run(native(&["--bin", "podlab", "--", "lessons", "visit", FIRST_LESSON, &visit]))?;
    let whole = at(PLAY, &format!("{NAME}_bg.wasm"));
    let tool = ["--manifest-path", "tools/cut/Cargo.toml", "--target-dir", "target/cut", "--"];
    let tool = |args: &[&str]| run(native(&[&tool[..], args].concat()));
    tool(&["mark", &whole, &at(PLAY, "marked.wasm")])?;
    run(command("node", &[&at(PLAY, "play.mjs"), &visit, &ran]))?;
    let (first, second) = (format!("{NAME}_bg.wasm"), format!("{NAME}_later.wasm"));
    tool(&["cut", &whole, &ran, &at(SITE, &first), &at(SITE, &second), LOADER])?;
    let loader = site.join("__wasm_split.js");
    let script = io(&loader, std::fs::read_to_string(&loader))? + include_str!("later.js");
    io(&loader, std::fs::write(&loader, script))
}

/// `cargo run` for this machine; trunk's build is told how to compile for visitors.
fn native(args: &[&str]) -> std::process::Command {
    let mut made = command("cargo", &[&["run", "--quiet", "--locked"], args].concat());
    made.env_remove("RUSTFLAGS");
    made
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
