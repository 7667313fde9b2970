//! `Page`: the tree of `El`s as a leptos view, so that leptos mounts it and owns its effects.
//! Rendered in the browser only; there is no server to render on.

use super::build::{Built, build};
use super::{El, Kid};
use leptos::attr::Attribute;
use leptos::attr::any_attribute::AnyAttribute;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::renderer::types::{Element, Node};
use leptos::tachys::view::add_attr::AddAnyAttr;
use leptos::tachys::view::{Mountable, Position, PositionState, Render, RenderHtml};

/// A view that builds its elements when leptos mounts it.
pub(crate) struct Page(pub(crate) fn() -> El);

/// The built elements; dropping it stops their effects.
pub(crate) struct Mounted(Built);

impl Mountable for Mounted {
    fn unmount(&mut self) {
        let node = self.0.node();
        if let Some(parent) = node.parent_node() {
            let _ = parent.remove_child(&node);
        }
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        let _ = parent.insert_before(&self.0.node(), marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        let node = self.0.node();
        let parent = node.parent_element();
        if let Some(parent) = &parent {
            child.mount(parent, Some(&node));
        }
        parent.is_some()
    }

    fn elements(&self) -> Vec<Element> {
        Vec::new()
    }
}

impl Render for Page {
    type State = Mounted;

    fn build(self) -> Mounted {
        Mounted(build(Kid::El((self.0)())))
    }

    fn rebuild(self, _state: &mut Mounted) {}
}

impl AddAnyAttr for Page {
    type Output<SomeNewAttr: Attribute> = Page;

    fn add_any_attr<NewAttr: Attribute>(self, _attr: NewAttr) -> Page {
        self
    }
}

impl RenderHtml for Page {
    type AsyncOutput = Page;
    type Owned = Page;
    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Page {
        self
    }

    fn to_html_with_buf(
        self,
        _buf: &mut String,
        _position: &mut Position,
        _escape: bool,
        _mark_branches: bool,
        _extra_attrs: Vec<AnyAttribute>,
    ) {
    }

    fn hydrate<const FROM_SERVER: bool>(self, _: &Cursor, _: &PositionState) -> Mounted {
        self.build()
    }

    fn into_owned(self) -> Page {
        self
    }
}
