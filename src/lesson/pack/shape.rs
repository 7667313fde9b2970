//! The size and shape that a stranger's lesson may have. What is too large is refused with a
//! sentence; nothing is cut silently.

use super::super::{Card, Lesson, Step};
use super::{NAME_MAX, PackIndex, is_slug};

const TRACKS_MAX: usize = 20;
const LESSONS_MAX: usize = 200;
/// Titles, summaries, questions: bytes.
const LINE_MAX: usize = 2_000;
/// Prose, manifests: bytes.
const TEXT_MAX: usize = 128 << 10;
/// Steps, hints, choices, variants, actions and the like: of each.
const ITEMS_MAX: usize = 60;
/// A lesson's run, in simulated seconds.
const RUN_SECS_MAX: u64 = 3_600;

/// The beginning of a text that is quoted in a sentence.
pub(super) fn short(text: &str) -> String {
    text.chars().take(NAME_MAX).collect()
}

pub(super) fn look_at_index(index: &PackIndex) -> Result<(), String> {
    if !is_slug(&index.name) {
        let name = short(&index.name);
        return Err(format!("`{name}` is no name of a pack: small letters, digits, hyphens."));
    }
    at_most("tracks", index.tracks.len(), TRACKS_MAX)?;
    let n_lessons = index.tracks.iter().map(|track| track.lessons.len()).sum();
    at_most("lessons", n_lessons, LESSONS_MAX)?;
    line("its title", &index.title)?;
    for track in &index.tracks {
        line("the title of a track", &track.title)?;
        line("the summary of a track", &track.summary)?;
        for card in &track.lessons {
            let own = card
                .id
                .split_once('/')
                .filter(|(name, slug)| *name == track.slug && is_slug(name) && is_slug(slug));
            if own.is_none() {
                return Err(format!("`{}` is no id of a lesson in its track.", short(&card.id)));
            }
            look_at_card(card)?;
        }
    }
    Ok(())
}

fn look_at_card(card: &Card) -> Result<(), String> {
    line("a title", &card.title)?;
    line("a summary", &card.summary)?;
    at_most("outcomes", card.outcomes.len(), ITEMS_MAX)?;
    at_most("minutes", card.minutes as usize, 600)?;
    // It becomes part of a key in the browser's storage.
    if card.version.len() > 16 || !card.version.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(format!("The version of `{}` is not one.", short(&card.id)));
    }
    card.outcomes.iter().try_for_each(|outcome| line("an outcome", outcome))
}

pub(super) fn look_at_lesson(lesson: &Lesson) -> Result<(), String> {
    if lesson.run_secs == 0 || lesson.run_secs > RUN_SECS_MAX {
        return Err(format!("A run of this lesson lasts {} s.", lesson.run_secs));
    }
    for (what, n) in [
        ("steps", lesson.steps.len()),
        ("variants", lesson.variants.len()),
        ("actions", lesson.actions.len()),
        ("hints", lesson.hints.len()),
        ("goals of the debrief", lesson.debrief_goals.len()),
        ("recall questions", lesson.recall.len()),
        ("needs", lesson.needs.len()),
    ] {
        at_most(what, n, ITEMS_MAX)?;
    }
    if lesson.steps.is_empty() {
        return Err("This lesson has no step.".to_owned());
    }
    let manifests = lesson.variants.iter().map(|variant| &variant.manifest);
    for manifest in manifests.chain([&lesson.start, &lesson.solution]) {
        at_most("bytes of a manifest", manifest.len(), TEXT_MAX)?;
    }
    at_most("bytes of the debrief", lesson.debrief_html.len(), TEXT_MAX)?;
    for (_, words) in &lesson.actions {
        line("an action", words)?;
    }
    for recall in &lesson.recall {
        at_most("answers", recall.answers.len(), ITEMS_MAX)?;
    }
    lesson.debrief_goals.iter().try_for_each(|goal| line("a goal", &goal.0))?;
    lesson.steps.iter().try_for_each(look_at_step)
}

fn look_at_step(step: &Step) -> Result<(), String> {
    line("the title of a step", &step.title)?;
    at_most("bytes of a step", step.html.len(), TEXT_MAX)?;
    at_most("tasks", step.tasks.len(), ITEMS_MAX)?;
    for task in &step.tasks {
        if !is_slug(&task.id) {
            return Err(format!("`{}` is no id of a task.", short(&task.id)));
        }
        task.goal.iter().try_for_each(|goal| line("a goal", &goal.0))?;
    }
    let choices = step.prediction.iter().flat_map(|prediction| &prediction.choices);
    at_most("choices", choices.clone().count(), ITEMS_MAX)?;
    let goals = choices.filter_map(|choice| choice.right_when.as_ref());
    goals.into_iter().try_for_each(|goal| line("a goal", &goal.0))
}

fn at_most(what: &str, n: usize, most: usize) -> Result<(), String> {
    if n > most { Err(format!("Too many {what}: {n}, {most} at most.")) } else { Ok(()) }
}

fn line(what: &str, text: &str) -> Result<(), String> {
    match text.len() {
        n if n > LINE_MAX => Err(format!("Too long, {what}: {n} bytes, {LINE_MAX} at most.")),
        _ => Ok(()),
    }
}
