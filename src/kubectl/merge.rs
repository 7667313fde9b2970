//! Patches of objects: strategic and JSON merges, JSON patches; and whether one would change
//! anything. Sends nothing.
//!
//! Models apimachinery pkg/util/strategicpatch and the patchMergeKey tags of k8s.io/api (v1.36).

use crate::kube::tree::Tree;

/// Keys by which items of a list are told apart where a patch merges lists; all other lists are
/// replaced. `inside` is the list or kind they stand in.
fn merge_key(list: &str, inside: &str) -> Option<&'static str> {
    match list {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "volumes"
        | "env"
        | "imagePullSecrets"
        | "secrets" => Some("name"),
        "volumeMounts" => Some("mountPath"),
        "volumeDevices" => Some("devicePath"),
        "hostAliases" => Some("ip"),
        "topologySpreadConstraints" => Some("topologyKey"),
        "ports" if inside == "containers" || inside == "initContainers" => Some("containerPort"),
        "ports" if inside == "Service" => Some("port"),
        _ => None,
    }
}

/// What stands round the entries of a map: itself, or the kind for the topmost ones.
fn round<'a>(key: &'a str, inside: &'a str) -> &'a str {
    if key.is_empty() || key == "spec" { inside } else { key }
}

/// Whether a patch towards what is written would be empty.
pub(super) fn holds(written: &Tree, live: &Tree, key: &str, inside: &str) -> bool {
    match (written, live) {
        (Tree::Null, Tree::Null) => true,
        (Tree::Map(entries), Tree::Map(_)) => entries.iter().all(|(name, value)| {
            // A selector of a budget is replaced as a whole each time.
            let whole = inside == "PodDisruptionBudget" && name == "selector";
            !whole && holds(value, live.get(name), name, round(key, inside))
        }),
        (Tree::List(items), Tree::List(have)) => match merge_key(key, inside) {
            Some(by) => items.iter().all(|item| {
                let same = |one: &&Tree| one.get(by) == item.get(by);
                have.iter().find(same).is_some_and(|one| holds(item, one, "", key))
            }),
            None => items == have,
        },
        (Tree::Map(entries), Tree::Null) => entries.is_empty(),
        (written, live) => written == live || written.show() == live.show(),
    }
}

/// A strategic merge into an object of a kind.
pub(super) fn strategic(into: &mut Tree, patch: &Tree, kind: &str) {
    merge(into, patch, "", kind, true);
}

/// A JSON merge: lists are replaced.
pub(super) fn plain(into: &mut Tree, patch: &Tree) {
    merge(into, patch, "", "", false);
}

fn merge(into: &mut Tree, patch: &Tree, key: &str, inside: &str, lists: bool) {
    for (name, value) in raw(patch) {
        let by = merge_key(name, round(key, inside)).filter(|_| lists);
        match (into.get_mut(name), value, by) {
            (Some(old @ Tree::Map(_)), Tree::Map(_), _) => {
                merge(old, value, name, round(key, inside), lists);
            }
            (Some(Tree::List(old)), Tree::List(items), Some(by)) => {
                for item in items {
                    merge_item(old, item, by, name);
                }
            }
            (_, value, _) => into.put(name.to_owned(), without_nulls(value)),
        }
    }
}

fn merge_item(list: &mut Vec<Tree>, item: &Tree, by: &str, name: &str) {
    let place = list.iter().position(|one| one.get(by) == item.get(by));
    let gone = item.text("$patch") == "delete";
    match place {
        Some(idx) if gone => drop(list.remove(idx)),
        Some(idx) => merge(&mut list[idx], item, "", name, true),
        None if gone => {}
        // What a patch adds to a list of this kind comes first.
        None => list.insert(0, without_nulls(item)),
    }
}

/// Entries of a map, nulls among them.
fn raw(tree: &Tree) -> impl Iterator<Item = (&str, &Tree)> {
    tree.entries().iter().map(|(key, value)| (key.as_ref(), value))
}

fn without_nulls(tree: &Tree) -> Tree {
    match tree {
        Tree::Map(_) => {
            let mut out = Tree::map();
            raw(tree).for_each(|(key, value)| out.put(key.to_owned(), without_nulls(value)));
            out
        }
        Tree::List(items) => Tree::List(items.iter().map(without_nulls).collect()),
        scalar => scalar.clone(),
    }
}

/// The operations of a JSON patch, in order; the error is the server's.
pub(super) fn operations(into: &mut Tree, patch: &Tree) -> Result<(), String> {
    for one in patch.items() {
        let (op, path) = (one.text("op"), one.text("path"));
        let steps: Vec<String> = path
            .split('/')
            .skip(1)
            .map(|step| step.replace("~1", "/").replace("~0", "~"))
            .collect();
        let missing = || {
            format!(
                "Error from server (Invalid): the server rejected our request due to an error in \
                 our request: {op} operation does not apply: doc is missing path: {path}"
            )
        };
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        let value = one.get("value").clone();
        operation(into, &steps, op, value).ok_or_else(missing)?;
    }
    Ok(())
}

fn operation(into: &mut Tree, steps: &[&str], op: &str, value: Tree) -> Option<()> {
    let (last, way) = steps.split_last()?;
    let mut here = into;
    for step in way {
        here = match here {
            Tree::List(items) => items.get_mut(step.parse::<usize>().ok()?)?,
            map => map.get_mut(step)?,
        };
    }
    match (here, op) {
        (Tree::List(items), "add") if *last == "-" => items.push(value),
        (Tree::List(items), _) => {
            let idx: usize = last.parse().ok()?;
            match op {
                "add" if idx <= items.len() => items.insert(idx, value),
                "remove" if idx < items.len() => drop(items.remove(idx)),
                "replace" => *items.get_mut(idx)? = value,
                "test" => (items.get(idx)? == &value).then_some(())?,
                _ => return None,
            }
        }
        (map @ Tree::Map(_), "add") => map.put((*last).to_owned(), value),
        (map @ Tree::Map(_), "replace") if !map.get(last).is_null() => {
            map.put((*last).to_owned(), value);
        }
        (map @ Tree::Map(_), "remove") if !map.get(last).is_null() => {
            map.put((*last).to_owned(), Tree::Null);
        }
        (map @ Tree::Map(_), "test") => (map.get(last) == &value).then_some(())?,
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Tree {
        crate::kube::tree_of(text).expect("a tree")
    }

    #[test]
    fn patches_merge_as_the_server_merges_them() {
        let object = "spec: {replicas: 1, template: {spec: {containers: [{name: a, image: x, args: \
                      [q]}, {name: b, image: v}]}}}";
        for (patch, expected) in [
            ("spec: {replicas: 3}", "3 a=x b=v q"),
            ("spec: {template: {spec: {containers: [{name: b, image: z}]}}}", "1 a=x b=z q"),
            ("spec: {template: {spec: {containers: [{name: a, $patch: delete}]}}}", "1 b=v "),
            ("spec: {template: {spec: {containers: [{name: c, image: w}]}}}", "1 c=w a=x b=v "),
            ("spec: {replicas: null}", "0 a=x b=v q"),
        ] {
            let mut one = tree(object);
            strategic(&mut one, &tree(patch), "Deployment");
            let list = one.at("spec.template.spec.containers").items().iter();
            let list: Vec<String> =
                list.map(|c| format!("{}={}", c.text("name"), c.text("image"))).collect();
            let args = one.text("spec.template.spec.containers.0.args.0");
            let shown = format!("{} {} {args}", one.int("spec.replicas"), list.join(" "));
            assert_eq!(shown, expected, "{patch}");
        }
        let mut one = tree(object);
        let patch = tree(
            "[{op: replace, path: /spec/replicas, value: 5}, {op: remove, path: \
                          /spec/template/spec/containers/0}]",
        );
        assert_eq!(operations(&mut one, &patch), Ok(()));
        assert_eq!(
            (one.int("spec.replicas"), one.text("spec.template.spec.containers.0.name")),
            (5, "b")
        );
        assert!(operations(&mut one, &tree("[{op: remove, path: /spec/nosuch}]")).is_err());
    }
}
