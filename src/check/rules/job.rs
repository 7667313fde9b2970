//! Jobs and CronJobs.
//! Models pkg/apis/batch/validation (v1.36).

use super::volume::Volumes;
use super::{cron, meta, pod, selector, workload};
use crate::check::cursor::At;
use crate::check::must::Must;
use crate::check::report::Report;
use crate::check::{fix, show};
use crate::kube::names;

const ENDS: &[&str] = &["OnFailure", "Never"];
const ACTIONS: &[&str] = &["Count", "FailIndex", "FailJob", "Ignore"];

pub(in crate::check) fn object(root: &At, r: &mut Report) {
    let meta = root.get("metadata");
    meta::object(&meta, names::subdomain, r);
    let at = root.get("spec");
    let labels = at.get("template.metadata.labels");
    if meta.get("labels").len() == 0 {
        // A job without labels is given its template's.
        meta::labels(&labels.called("metadata.labels"), r);
    }
    let (chosen, manual) = (at.get("selector"), at.get("manualSelector").bool());
    // The server adds its own label to the selector before it looks at it, so an empty one is good.
    if !manual && !selector::is_empty(&chosen) {
        r.invalid_as(&chosen, &selector::json(&chosen), "`selector` not auto-generated");
    }
    spec(&at, Some(&meta).filter(|_| !manual), r);
    if manual {
        let whole = selector::is_valid(&chosen);
        if chosen.here() {
            selector::label_selector(&chosen, r);
        } else {
            r.required(&chosen, "");
        }
        if whole && !(chosen.here() && selector::matches(&chosen, &labels)) {
            workload::mismatch(&at, r);
        }
    }
    pod_names(&meta, &at, r);
}

/// Pods of an indexed job are called after it and their index.
fn pod_names(meta: &At, spec: &At, r: &mut Report) {
    let name = meta.get("name");
    let Some(completions) = spec.get("completions").int() else { return };
    if spec.str_of("completionMode") != "Indexed" || completions <= 0 {
        return;
    }
    let host = format!("{}-{}", name.str(), completions - 1);
    if !names::label(&host).is_empty() {
        let text = format!("will not able to create pod with invalid DNS label: {host}");
        r.invalid(&name, &text);
    }
}

/// The server labels the template with the job's name, and objects to its own label.
fn own_labels(meta: &At, template: &At, r: &mut Report) {
    let name = meta.get("name");
    let at = name.called(format!("{}.labels", template.path));
    for objection in names::label_value(name.str()) {
        r.invalid(&at, &objection).code = "bad-label".into();
    }
}

fn spec(at: &At, meta: Option<&At>, r: &mut Report) {
    for key in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ] {
        r.must(&at.get(key), Must::NonNegative);
    }
    let indexed = completion(at, r);
    failure_policy(at, r);
    success_policy(at, indexed, r);
    let policy = at.get("podReplacementPolicy");
    if at.get("podFailurePolicy").here() {
        r.must(&policy, Must::OneOfOrEmpty(&["Failed"]));
    } else {
        r.must(&policy, Must::OneOfOrEmpty(&["Failed", "TerminatingOrFailed"]));
    }
    let template = at.get("template");
    if let Some(meta) = meta {
        own_labels(meta, &template, r);
    }
    pod::template(&template, Volumes::new(), r);
    restart_policy(&template, at.get("podFailurePolicy").here(), r);
}

/// How the job counts its pods; says whether by index.
fn completion(at: &At, r: &mut Report) -> bool {
    let managed = at.get("managedBy");
    if managed.here() {
        super::cluster::domain_path(&managed, r);
        if managed.str().len() > 63 {
            r.too_long(&managed, 63);
        }
    }
    let mode = at.get("completionMode");
    let indexed = mode.str() == "Indexed";
    r.must(&mode, Must::OneOfOrEmpty(&["NonIndexed", "Indexed"]));
    let (per_index, max_failed) = (at.get("backoffLimitPerIndex"), at.get("maxFailedIndexes"));
    let completions = at.get("completions");
    if indexed {
        // Where both are absent, both are 1.
        if !completions.here() && at.get("parallelism").here() {
            r.required(&completions, "when completion mode is Indexed");
        }
        let parallel = at.get("parallelism");
        if parallel.int().is_some_and(|n| n > 100_000) {
            let text = "must be less than or equal to 100000 when completion mode is Indexed";
            r.invalid(&parallel, text);
        }
        if let (Some(most), Some(failed)) = (completions.int(), max_failed.int())
            && failed > most
        {
            r.invalid_int(&max_failed, "must be less than or equal to completions");
        }
        if max_failed.int().is_some_and(|n| n > 100_000) {
            r.invalid_int(&max_failed, "must be less than or equal to 100000");
        }
    } else if !mode.here() || mode.str() == "NonIndexed" {
        for one in [&per_index, &max_failed] {
            if one.here() {
                r.invalid(one, "requires indexed completion mode");
            }
        }
    }
    if max_failed.here() && !per_index.here() {
        r.required(&per_index, "when maxFailedIndexes is specified");
    }
    indexed
}

fn restart_policy(template: &At, failure_policy: bool, r: &mut Report) {
    let policy = template.get("spec.restartPolicy");
    match policy.str() {
        "" | "Always" => {
            let fixes = fix::restart_policy(r.text, &policy, template);
            let found = r.required(&policy, "valid values: \"OnFailure\", \"Never\"");
            found.help = Some(
                "A Job's pods end, so they cannot restart always, which is what an absent \
                 restartPolicy means."
                    .to_owned(),
            );
            found.fixes.extend(fixes);
        }
        word if !ENDS.contains(&word) => drop(r.unsupported(&policy, ENDS)),
        "OnFailure" if failure_policy => {
            r.invalid(&policy, "only \"Never\" is supported when podFailurePolicy is specified");
        }
        _ => {}
    }
}

fn failure_policy(spec: &At, r: &mut Report) {
    let rules = spec.get("podFailurePolicy.rules");
    if rules.len() > 20 {
        r.too_many(&rules, rules.len(), 20);
    }
    let template = spec.get("template.spec");
    let mut containers: Vec<&str> = Vec::new();
    for list in ["initContainers", "containers"] {
        containers.extend(template.get(list).items().iter().map(|c| c.str_of("name")));
    }
    for rule in rules.items() {
        let action = rule.get("action");
        if action.str() == "FailIndex" && !spec.get("backoffLimitPerIndex").here() {
            r.invalid(&action, "requires the backoffLimitPerIndex to be set");
        } else if action.str().is_empty() {
            let text = "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]";
            r.required(&action, text);
        } else if !ACTIONS.contains(&action.str()) {
            r.unsupported(&action, ACTIONS);
        }
        let (codes, conditions) = (rule.get("onExitCodes"), rule.get("onPodConditions"));
        if codes.here() {
            exit_codes(&codes, &containers, r);
        }
        for condition in conditions.items() {
            let kind = condition.get("type");
            for objection in names::qualified(kind.str()) {
                r.invalid(&kind, &objection);
            }
            let status = condition.get("status");
            let known = ["", "True", "False", "Unknown"];
            if !known.contains(&status.str()) {
                r.unsupported(&status, &["False", "True", "Unknown"]);
            }
        }
        let text = match (codes.here(), conditions.len() > 0) {
            (true, true) => "specifying both OnExitCodes and OnPodConditions is not supported",
            (false, false) => "specifying one of OnExitCodes and OnPodConditions is required",
            _ => continue,
        };
        r.field("invalid-value", &rule, format!("Invalid value: {text}"));
    }
}

fn exit_codes(at: &At, containers: &[&str], r: &mut Report) {
    let operator = at.get("operator");
    match operator.str() {
        "In" | "NotIn" => {}
        "" => drop(r.required(&operator, "valid values: [\"In\" \"NotIn\"]")),
        _ => drop(r.unsupported(&operator, &["In", "NotIn"])),
    }
    let name = at.get("containerName");
    if name.here() && !containers.contains(&name.str()) {
        let fix = fix::nearest_value(r.text, &name, containers);
        let text = "must be one of the container or initContainer names in the pod template";
        r.invalid(&name, text).fixes.extend(fix);
    }
    let values = at.get("values");
    if values.len() == 0 {
        let shown = values.node.map_or("null".to_owned(), |_| "[]".to_owned());
        r.invalid_as(&values, &shown, "at least one value is required");
    } else if values.len() > 255 {
        r.too_many(&values, values.len(), 255);
    }
    let mut seen: Vec<i64> = Vec::new();
    let mut ordered = true;
    for value in values.items() {
        let number = value.int().unwrap_or(0);
        if operator.str() == "In" && number == 0 {
            r.invalid_int(&value, "must not be 0 for the In operator");
        }
        if seen.contains(&number) {
            r.duplicate_as(&value, &number.to_string());
        }
        ordered &= seen.last().is_none_or(|last| *last <= number);
        seen.push(number);
    }
    if !ordered {
        let shown = values.shown().replace("null", "0");
        r.invalid_as(&values, &shown, "must be ordered");
    }
}

fn success_policy(spec: &At, indexed: bool, r: &mut Report) {
    let at = spec.get("successPolicy");
    if !at.here() {
        return;
    }
    if !indexed {
        let part =
            |rule: &At<'_>, key: &str| rule.get(key).node.map_or("null".to_owned(), show::json);
        let rule = |rule: &At<'_>| {
            let (indexes, count) = (part(rule, "succeededIndexes"), part(rule, "succeededCount"));
            format!("{{\"SucceededIndexes\":{indexes},\"SucceededCount\":{count}}}")
        };
        let list = at.get("rules");
        let rules: Vec<String> = list.items().iter().map(rule).collect();
        let rules = match list.here() {
            true => format!("[{}]", rules.join(",")),
            false => "null".to_owned(),
        };
        let shown = format!("{{\"Rules\":{rules}}}");
        r.invalid_as(&at, &shown, "requires indexed completion mode");
        return;
    }
    let rules = at.get("rules");
    if rules.len() == 0 {
        r.required(
            &rules,
            "at least one rules must be specified when the successPolicy is specified",
        );
    }
    if rules.len() > 20 {
        r.too_many(&rules, rules.len(), 20);
    }
    let completions = spec.get("completions").int().unwrap_or(0);
    for rule in rules.items() {
        success_rule(&rule, completions, r);
    }
}

/// Models validateSuccessPolicyRule.
fn success_rule(rule: &At, completions: i64, r: &mut Report) {
    let (count, indexes) = (rule.get("succeededCount"), rule.get("succeededIndexes"));
    if !count.here() && !indexes.here() {
        let text = "at least one of succeededCount or succeededIndexes must be specified";
        r.required(rule, text);
    }
    let mut total = 0;
    if indexes.here() {
        match cron::indexes(indexes.str(), completions) {
            Ok(n) => total = n,
            Err(text) => {
                r.invalid(&indexes, &format!("error parsing succeededIndexes: {text}"));
            }
        }
    }
    let Some(number) = count.int() else { return };
    r.must(&count, Must::NonNegative);
    for (most, what) in [
        (completions, "the number of specified completions"),
        (total, "the number of indexes in the specified succeededIndexes field"),
    ] {
        if number > most && (most == completions && what.contains("completions") || indexes.here())
        {
            r.invalid_int(&count, &format!("must be less than or equal to {most} ({what})"));
        }
    }
}

pub(in crate::check) fn cron_job(root: &At, r: &mut Report) {
    let meta = root.get("metadata");
    meta::object(&meta, names::subdomain, r);
    let at = root.get("spec");
    let schedule = at.get("schedule");
    if schedule.str().is_empty() {
        r.required(&schedule, "");
    } else if schedule.str().contains("TZ") {
        let text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
        r.invalid(&schedule, text);
    } else if let Err(text) = cron::parse(schedule.str()) {
        r.invalid(&schedule, &text).help = Some(
            "A schedule is minute, hour, day of month, month, day of week, as in `*/5 * * * *`."
                .to_owned(),
        );
    }
    r.must(&at.get("startingDeadlineSeconds"), Must::NonNegative);
    let zone = at.get("timeZone");
    if let Some(text) = zone.node.and_then(|_| cron::zone_objection(zone.str())) {
        r.invalid(&zone, &text);
    }
    r.must(&at.get("concurrencyPolicy"), Must::OneOf(&["Allow", "Forbid", "Replace"]));
    for key in ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        r.must(&at.get(key), Must::NonNegative);
    }
    let job = at.get("jobTemplate.spec");
    let chosen = job.get("selector");
    if chosen.here() {
        r.invalid_as(&chosen, &selector::json(&chosen), "`selector` will be auto-generated");
    }
    let manual = job.get("manualSelector");
    if manual.bool() {
        r.unsupported(&manual, &["nil", "false"]);
    }
    spec(&job, None, r);
    let name = meta.get("name");
    if name.str().len() > 52 {
        r.invalid(&name, "must be no more than 52 characters");
    }
}
