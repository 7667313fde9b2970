//! The four patterns as small living pods: data for boxes, lines and travelling dots. The motion
//! is the style sheet's and stops where people ask for less of it.

use super::el::{El, svg};

struct Picture {
    /// (x, y, width, height, label, hue)
    boxes: &'static [(i32, i32, i32, i32, &'static str, usize)],
    /// (x, y, width, label): the volume.
    drawer: Option<(i32, i32, i32, &'static str)>,
    /// (x, y, label): what is outside the pod.
    outside: Option<(i32, i32, &'static str)>,
    /// Path data.
    lines: &'static [&'static str],
    /// (x, y, style class of its way)
    dots: &'static [(i32, i32, &'static str)],
    /// What a screen reader hears.
    story: &'static str,
}

/// None for a track that is no pattern of pods.
fn picture(track: &str) -> Option<Picture> {
    Some(match track {
        "sidecar" => Picture {
            boxes: &[(34, 36, 72, 34, "app", 0), (134, 36, 72, 34, "shipper", 1)],
            drawer: Some((72, 100, 96, "logs")),
            outside: None,
            lines: &["M70 70 V84 H104 V100", "M136 100 V84 H170 V70"],
            dots: &[(70, 70, "way-down"), (136, 100, "way-up")],
            story: "An app writes a log file; a sidecar beside it reads and ships it.",
        },
        "ambassador" => Picture {
            boxes: &[(34, 46, 66, 34, "app", 0), (124, 46, 74, 34, "proxy", 2)],
            drawer: None,
            outside: Some((232, 63, "db")),
            lines: &["M100 63 H124", "M198 63 H226"],
            dots: &[(100, 63, "way-right"), (198, 63, "way-out")],
            story: "An app talks to localhost; an ambassador passes it on to the database.",
        },
        "adapter" => Picture {
            boxes: &[(34, 46, 66, 34, "app", 0), (124, 46, 74, 34, "adapter", 3)],
            drawer: None,
            outside: Some((232, 63, "scrape")),
            lines: &["M100 63 H124", "M198 63 H226"],
            dots: &[(100, 63, "way-right"), (226, 63, "way-in")],
            story: "An app speaks its own format; an adapter turns it into what the world asks for.",
        },
        "init" => Picture {
            boxes: &[
                (30, 34, 52, 28, "wait", 4),
                (30, 74, 52, 28, "migrate", 5),
                (126, 46, 74, 44, "app", 0),
            ],
            drawer: None,
            outside: None,
            lines: &["M56 62 V74", "M82 88 H104 V68 H126"],
            dots: &[(56, 62, "way-chain"), (82, 88, "way-start")],
            story: "Init containers run one after another; then the app starts.",
        },
        _ => return None,
    })
}

fn rect(x: i32, y: i32, w: i32, h: i32, class: &str) -> El {
    let rect = svg("rect").num("x", x.into()).num("y", y.into()).num("width", w.into());
    rect.num("height", h.into()).attr("rx", "4").class(class)
}

fn label(x: i32, y: i32, text: &str) -> El {
    svg("text").num("x", x.into()).num("y", y.into()).class("pod-label").text(text)
}

pub(crate) fn view(track: &str, title: &str) -> Option<El> {
    let picture = picture(track)?;
    let mut out = svg("svg")
        .class("living-pod")
        .attr("viewBox", "0 0 270 138")
        .attr("role", "img")
        .label(format!("{title}. {}", super::app::tr(picture.story)))
        .kid(rect(16, 14, 200, if picture.drawer.is_some() { 74 } else { 104 }, "pod-frame"));
    for path in picture.lines {
        out = out.kid(svg("path").attr("d", *path).class("pod-line"));
    }
    if let Some((x, y, w, text)) = picture.drawer {
        out = out.kid(rect(x, y, w, 26, "pod-drawer")).kid(label(x + w / 2, y + 17, text));
    }
    if let Some((x, y, text)) = picture.outside {
        out = out
            .kid(
                svg("circle")
                    .num("cx", x.into())
                    .num("cy", y.into())
                    .attr("r", "6")
                    .class("pod-out"),
            )
            .kid(label(x, y + 24, text));
    }
    for (i, (x, y, w, h, text, hue)) in picture.boxes.iter().enumerate() {
        let class = format!("pod-box hue-{hue} box-{i}");
        out = out.kid(rect(*x, *y, *w, *h, &class)).kid(label(x + w / 2, y + h / 2 + 4, text));
    }
    for (x, y, way) in picture.dots {
        let class = format!("pod-dot {way}");
        let dot = svg("circle").num("cx", (*x).into()).num("cy", (*y).into()).attr("r", "3.5");
        out = out.kid(dot.class(&class));
    }
    Some(out)
}
