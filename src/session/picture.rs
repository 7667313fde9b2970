//! Where the parts of one pod stand on the stage: plain geometry in CSS pixels, so that it can be
//! tested without a browser. What they look like is the page's.

use crate::order::Order;
use crate::trace::{Name, PodShape, Role};

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub w: f64,
    pub h: f64,
}

impl Rect {
    pub fn right(&self) -> f64 {
        self.x + self.w
    }

    pub fn bottom(&self) -> f64 {
        self.y + self.h
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    pub name: Name,
    pub role: Role,
    /// Index into the container hues.
    pub hue: usize,
    pub rect: Rect,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Drawer {
    pub name: Name,
    pub rect: Rect,
}

/// A line from a container's card to a volume's drawer, corner by corner.
#[derive(Clone, Debug, PartialEq)]
pub struct Mount {
    pub container: Name,
    pub volume: Name,
    pub hue: usize,
    pub read_only: bool,
    pub points: Vec<(f64, f64)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    pub w: f64,
    pub h: f64,
    pub frame: Rect,
    /// Init containers in order, then sidecars, then main containers.
    pub cards: Vec<Card>,
    /// Where in the chain of init containers each sidecar starts: (name, hue, place).
    pub chips: Vec<(Name, usize, Rect)>,
    /// Arrows of the chain and into what it starts.
    pub chain: Vec<Vec<(f64, f64)>>,
    pub drawers: Vec<Drawer>,
    pub mounts: Vec<Mount>,
}

const MARGIN: f64 = 10.0;
/// The frame's title line, and its height where the name needs a line of its own.
/// There is room below the words for the arcs of requests.
const TITLE: f64 = 64.0;
const TITLE_NARROW: f64 = 90.0;
/// Below this width the title is two lines.
pub const NARROW: f64 = 470.0;
const PAD: f64 = 14.0;
const GAP: f64 = 18.0;
const INIT_H: f64 = 78.0;
const CHIP_H: f64 = 26.0;
const CARD_H: f64 = 124.0;
/// From this width on the chain stands at the left; below it on top.
const WIDE: f64 = 520.0;
const CHAIN_W: f64 = 172.0;
const MAIN_W_MIN: f64 = 216.0;
const DRAWER_W: (f64, f64) = (150.0, 270.0);
const DRAWER_H: f64 = 42.0;
const FILE_H: f64 = 19.0;
/// Files listed on a drawer; more are counted.
pub const FILES_SHOWN: usize = 3;

/// Lays a pod out in `width` pixels. `n_files` says how many files a volume holds now.
pub fn picture(
    shape: &PodShape,
    width: f64,
    n_files: impl Fn(&str) -> usize,
    hue: impl Fn(&Name) -> usize,
) -> Picture {
    let width = width.max(280.0);
    let title = if width < NARROW { TITLE_NARROW } else { TITLE };
    let mut out = Picture { w: width, ..Picture::default() };
    let inner =
        Rect { x: MARGIN + PAD, y: MARGIN + title, w: width - 2.0 * (MARGIN + PAD), h: 0.0 };
    let has_chain = shape.containers.iter().any(|c| c.role == Role::Init);
    let wide = width >= WIDE && has_chain;
    let (chain_w, chain_bottom) = out.lay_chain(shape, inner, wide);
    let main = match wide {
        true => Rect { x: inner.x + chain_w + 30.0, w: inner.w - chain_w - 30.0, ..inner },
        false => Rect { y: chain_bottom, ..inner },
    };
    let bottom = out.lay_grid(shape, main, |role| matches!(role, Role::Main | Role::Ephemeral));
    let bottom = out.lay_grid(shape, Rect { y: bottom, ..main }, |role| role == Role::Sidecar);
    out.lay_arrows(wide);
    let bottom = bottom.max(chain_bottom) - GAP + PAD;
    out.frame =
        Rect { x: MARGIN, y: MARGIN, w: width - 2.0 * MARGIN, h: (bottom - MARGIN).max(90.0) };
    out.lay_drawers(shape, &n_files);
    out.cards.iter_mut().for_each(|card| card.hue = hue(&card.name));
    out.chips.iter_mut().for_each(|chip| chip.1 = hue(&chip.0));
    out.lay_mounts(shape);
    out
}

impl Picture {
    pub fn card(&self, name: &str) -> Option<&Card> {
        self.cards.iter().find(|c| &*c.name == name)
    }

    /// The chain of init containers, with a chip where a sidecar starts among them. Gives its
    /// width and its bottom.
    fn lay_chain(&mut self, shape: &PodShape, inner: Rect, wide: bool) -> (f64, f64) {
        let has_chain = shape.containers.iter().any(|c| c.role == Role::Init);
        let w = if wide { CHAIN_W } else { inner.w };
        let mut y = inner.y;
        if !has_chain {
            return (0.0, y);
        }
        for container in &shape.containers {
            let (hue, name) = (0, container.name.clone());
            match container.role {
                Role::Init => {
                    let rect = Rect { x: inner.x, y, w, h: INIT_H };
                    self.cards.push(Card { name, role: Role::Init, hue, rect });
                    y += INIT_H + GAP;
                }
                Role::Sidecar => {
                    self.chips.push((name, hue, Rect { x: inner.x, y, w, h: CHIP_H }));
                    y += CHIP_H + GAP;
                }
                _ => {}
            }
        }
        (w, y)
    }

    /// Cards of some roles in as many columns as fit; gives the bottom, gap included.
    fn lay_grid(&mut self, shape: &PodShape, area: Rect, of: impl Fn(Role) -> bool) -> f64 {
        let these: Vec<_> = shape.containers.iter().filter(|c| of(c.role)).collect();
        if these.is_empty() {
            return area.y;
        }
        let fit = ((area.w + GAP) / (MAIN_W_MIN + GAP)).floor().max(1.0);
        let n_columns = fit.min(these.len() as f64);
        let w = (area.w - GAP * (n_columns - 1.0)) / n_columns;
        let mut bottom = area.y;
        for (i, container) in these.iter().enumerate() {
            let (column, row) = (i as f64 % n_columns, (i as f64 / n_columns).floor());
            let rect = Rect {
                x: area.x + column * (w + GAP),
                y: area.y + row * (CARD_H + GAP),
                w,
                h: CARD_H,
            };
            bottom = rect.bottom() + GAP;
            let (name, role) = (container.name.clone(), container.role);
            self.cards.push(Card { hue: 0, name, role, rect });
        }
        bottom
    }

    /// From each link of the chain to the next, from chips to their sidecars, and from the last
    /// link to the main containers.
    fn lay_arrows(&mut self, wide: bool) {
        let init = self.cards.iter().filter(|c| c.role == Role::Init).map(|c| c.rect);
        let mut links: Vec<Rect> = init.chain(self.chips.iter().map(|c| c.2)).collect();
        links.order_by(|a, b| a.y.total_cmp(&b.y));
        for pair in links.windows(2) {
            let x = pair[0].x + 18.0;
            self.chain.push(vec![(x, pair[0].bottom()), (x, pair[1].y)]);
        }
        if !wide {
            let main = self.cards.iter().find(|c| c.role == Role::Main).map(|c| c.rect);
            if let (Some(last), Some(main)) = (links.last(), main) {
                let x = last.x + 18.0;
                self.chain.push(vec![(x, last.bottom()), (x, main.y)]);
            }
            return;
        }
        for (name, _, chip) in &self.chips {
            let Some(card) = self.cards.iter().find(|c| c.name == *name) else { continue };
            let (y, to) = (chip.y + chip.h / 2.0, card.rect.y + 24.0);
            let x = chip.right() + 12.0;
            self.chain.push(vec![(chip.right(), y), (x, y), (x, to), (card.rect.x, to)]);
        }
        let main = self.cards.iter().find(|c| c.role == Role::Main).map(|c| c.rect);
        if let (Some(last), Some(main)) = (links.last(), main) {
            let x = last.x + last.w * 0.5;
            let (turn, to) = (last.right() + 20.0, main.y + 40.0);
            let y = last.bottom() + 10.0;
            self.chain.push(vec![(x, last.bottom()), (x, y), (turn, y), (turn, to), (main.x, to)]);
        }
    }

    fn lay_drawers(&mut self, shape: &PodShape, n_files: &dyn Fn(&str) -> usize) {
        let n = shape.volumes.len() as f64;
        if n == 0.0 {
            self.h = self.frame.bottom() + MARGIN;
            return;
        }
        let area = self.w - 2.0 * MARGIN;
        let fit = ((area + GAP) / (DRAWER_W.0 + GAP)).floor().clamp(1.0, n);
        let w = ((area - GAP * (fit - 1.0)) / fit).min(DRAWER_W.1);
        let files = |name: &str| n_files(name).min(FILES_SHOWN + 1) as f64;
        let tallest = shape.volumes.iter().map(|v| files(&v.name)).fold(0.0, f64::max);
        let h = DRAWER_H + tallest * FILE_H;
        let top = self.frame.bottom() + 30.0;
        for (i, volume) in shape.volumes.iter().enumerate() {
            let (column, row) = (i as f64 % fit, (i as f64 / fit).floor());
            let x = MARGIN + column * (w + GAP);
            let rect = Rect { x, y: top + row * (h + GAP), w, h };
            self.drawers.push(Drawer { name: volume.name.clone(), rect });
        }
        self.h = self.drawers.last().map_or(top, |d| d.rect.bottom()) + MARGIN;
    }

    fn lay_mounts(&mut self, shape: &PodShape) {
        let n_all: usize = shape.containers.iter().map(|c| c.mounts.len()).sum();
        let mut seen = 0.0;
        for container in &shape.containers {
            let Some(card) = self.card(&container.name).cloned() else { continue };
            let n = container.mounts.len() as f64;
            for (i, mount) in container.mounts.iter().enumerate() {
                let drawer = self.drawers.iter().find(|d| d.name == mount.volume);
                let Some(drawer) = drawer.map(|d| d.rect) else { continue };
                seen += 1.0;
                let part = seen / (n_all as f64 + 1.0);
                // Cards above one another keep their lines apart, too.
                let aside = (seen - (n_all as f64 + 1.0) / 2.0) * 10.0;
                let x1 = card.rect.x + card.rect.w * (i as f64 + 1.0) / (n + 1.0) + aside;
                let x1 = x1.clamp(card.rect.x + 12.0, card.rect.right() - 12.0);
                let x2 = drawer.x + drawer.w * (0.12 + 0.76 * part);
                // Each has a height of its own between frame and drawers, so none lie together.
                let y = self.frame.bottom() + 6.0 + 16.0 * part;
                self.mounts.push(Mount {
                    container: container.name.clone(),
                    volume: mount.volume.clone(),
                    hue: card.hue,
                    read_only: mount.read_only,
                    points: vec![(x1, card.rect.bottom()), (x1, y), (x2, y), (x2, drawer.y)],
                });
            }
        }
    }
}

/// The point a share `f` (0 to 1) of the way along.
pub fn along(points: &[(f64, f64)], f: f64) -> (f64, f64) {
    let length = |a: (f64, f64), b: (f64, f64)| (b.0 - a.0).hypot(b.1 - a.1);
    let total: f64 = points.windows(2).map(|p| length(p[0], p[1])).sum();
    let mut left = total * f.clamp(0.0, 1.0);
    for pair in points.windows(2) {
        let here = length(pair[0], pair[1]);
        if left <= here && here > 0.0 {
            let t = left / here;
            let mix = |a: f64, b: f64| a + (b - a) * t;
            return (mix(pair[0].0, pair[1].0), mix(pair[0].1, pair[1].1));
        }
        left -= here;
    }
    points.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::fixture;

    fn drawn(width: f64, more: usize) -> Picture {
        let timeline = fixture::timeline();
        let snapshot = timeline.at(timeline.now);
        let mut shape = (*snapshot.pods["web"].shape).clone();
        for i in 0..more {
            let mut extra = shape.containers[2].clone();
            extra.name = format!("extra-{i}").into();
            shape.containers.push(extra);
        }
        picture(&shape, width, |_| 2, |_| 3)
    }

    /// What is wrong with a picture: parts over each other or out of their frame.
    fn flaws(picture: &Picture) -> Vec<String> {
        let cards = picture.cards.iter().map(|c| (c.name.to_string(), c.rect));
        let chips = picture.chips.iter().map(|c| (format!("chip {}", c.0), c.2));
        let inside: Vec<_> = cards.chain(chips).collect();
        let drawers = picture.drawers.iter().map(|d| (d.name.to_string(), d.rect));
        let all: Vec<_> = inside.iter().cloned().chain(drawers).collect();
        let mut found = Vec::new();
        for (i, (a, ra)) in all.iter().enumerate() {
            for (b, rb) in &all[..i] {
                let apart = ra.right() <= rb.x
                    || rb.right() <= ra.x
                    || ra.bottom() <= rb.y
                    || rb.bottom() <= ra.y;
                if !apart {
                    found.push(format!("{a} lies over {b}"));
                }
            }
            if ra.right() > picture.w || ra.bottom() > picture.h || ra.x < 0.0 {
                found.push(format!("{a} is outside the picture"));
            }
        }
        let frame = picture.frame;
        for (name, rect) in &inside {
            if rect.right() > frame.right() || rect.bottom() > frame.bottom() {
                found.push(format!("{name} is outside the frame"));
            }
        }
        found
    }

    #[test]
    fn nothing_lies_over_anything() {
        for width in [200.0, 320.0, 519.0, 520.0, 700.0, 1100.0] {
            for more in [0, 1, 4] {
                let picture = drawn(width, more);
                assert_eq!(flaws(&picture), [""; 0], "{width} px, {more} more");
                assert_eq!(picture.mounts.len(), 2 + more);
                assert!(picture.mounts.iter().all(|m| m.hue == 3));
            }
        }
        let mut wrong = drawn(700.0, 0);
        wrong.cards[1].rect = wrong.cards[2].rect;
        assert_eq!(flaws(&wrong).len(), 1);
    }

    #[test]
    fn points_along_a_line() {
        let line = [(0.0, 0.0), (0.0, 10.0), (10.0, 10.0)];
        let at = |f| along(&line, f);
        assert_eq!(
            [at(0.0), at(0.25), at(0.75), at(1.0)],
            [(0.0, 0.0), (0.0, 5.0), (5.0, 10.0), (10.0, 10.0)]
        );
        assert_eq!(along(&[], 0.5), (0.0, 0.0));
    }
}
