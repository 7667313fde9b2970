//! The web worker's face: answers the page's requests with the engine, and loads the parts of it
//! that wait in files of their own until something needs them. Native: nothing to do.

#[cfg(target_arch = "wasm32")]
mod parts {
    use podlab::check;
    use podlab::kubectl;
    use podlab::part::Name;
    use podlab::shell::{applets, programs};
    use podlab::sim;
    use wasm_split_helpers::{SplitLoaderError, wasm_split};

    type Filled = Result<(), SplitLoaderError>;

    #[wasm_split(programs, fallible)]
    fn fill_programs() -> Filled {
        applets::fill();
        programs::fill();
        sim::fill_images();
        Ok(())
    }

    #[wasm_split(rules, fallible)]
    fn fill_rules() -> Filled {
        check::fill_rules();
        Ok(())
    }

    #[wasm_split(controllers, fallible)]
    fn fill_controllers() -> Filled {
        sim::fill_controllers();
        Ok(())
    }

    #[wasm_split(kubectl, fallible)]
    fn fill_kubectl() -> Filled {
        kubectl::fill();
        Ok(())
    }

    /// Loads a part; answers whether it came.
    pub(super) async fn load(part: Name) -> bool {
        let filled = match part {
            Name::Programs => fill_programs().await,
            Name::Rules => fill_rules().await,
            Name::Controllers => fill_controllers().await,
            Name::Kubectl => fill_kubectl().await,
        };
        filled.is_ok()
    }
}

#[cfg(target_arch = "wasm32")]
fn main() {
    podlab::ui::worker::start(|part| Box::pin(parts::load(part)));
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {}
