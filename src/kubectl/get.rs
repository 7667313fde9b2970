//! `kubectl get`: tables, YAML, JSON, names, templates, columns of one's own.
//!
//! Models k8s.io/kubectl/pkg/cmd/get (v1.36).

use super::cluster::Cluster;
use super::kinds::{self, Kind};
use super::select::Selector;
use super::words::Args;
use super::{Said, Table, dump, jsonpath, rows};
use crate::kube::tree::Tree;
use crate::order::Order;

pub(super) const FLAGS: &str = "o:output A!all-namespaces w!watch watch-only! l:selector \
     field-selector: show-labels! L:label-columns sort-by: no-headers! ignore-not-found! \
     show-kind! f:filename chunk-size: R!recursive allow-missing-template-keys! template: \
     show-managed-fields! server-print! output-watch-events! raw: subresource: k:kustomize";

/// Things asked for: of one kind, all of it or by name.
pub(super) struct Asked {
    pub(super) kind: &'static Kind,
    pub(super) names: Vec<String>,
}

/// Objects by the kind they were asked as.
pub(super) type Found<'c> = Vec<(&'static Kind, Vec<&'c Tree>)>;

/// What `get`, `describe` and others are asked about, from `pods`, `pod x`, `pod/x svc/y`.
/// Models k8s.io/cli-runtime/pkg/resource/builder.go ResourceTypeOrNameArgs (v1.36).
pub(super) fn asked(words: &[String]) -> Result<Vec<Asked>, String> {
    let slashed = words.iter().any(|word| word.contains('/'));
    if !slashed {
        let (first, names) = words.split_first().map_or(("", &[][..]), |(f, n)| (f.as_str(), n));
        let kinds = kinds::list(first)?;
        return Ok(kinds.into_iter().map(|kind| Asked { kind, names: names.to_vec() }).collect());
    }
    let mut out = Vec::new();
    for word in words {
        if word.matches('/').count() > 1 {
            return Err(
                "arguments in resource/name form may not have more than one slash".to_owned()
            );
        }
        let Some((kind, name)) = word.split_once('/') else {
            return Err("there is no need to specify a resource type as a separate argument when \
                        passing arguments in resource/name form (e.g. 'kubectl get \
                        resource/<resource_name>' instead of 'kubectl get resource \
                        resource/<resource_name>'"
                .to_owned());
        };
        let kind = kinds::find(kind).ok_or_else(|| kinds::missing(kind))?;
        out.push(Asked { kind, names: vec![name.to_owned()] });
    }
    Ok(out)
}

/// `Error from server (NotFound): pods "x" not found`.
pub(super) fn not_found(kind: &Kind, name: &str) -> String {
    format!("Error from server (NotFound): {} \"{name}\" not found", kind.full())
}

/// Where a command looks: `-n`, else the run's namespace.
pub(super) fn namespace(cluster: &Cluster, args: &Args) -> String {
    let of_context = || args.flag("context-namespace").unwrap_or(&cluster.namespace);
    args.flag("namespace").unwrap_or_else(of_context).to_owned()
}

/// Objects asked for, with what was not found. Selectors apply where no name is given.
pub(super) fn find<'c>(
    cluster: &'c Cluster,
    args: &Args,
    asked: &[Asked],
) -> Result<(Found<'c>, Vec<String>), String> {
    let (written, fielded) =
        (args.flag("selector").unwrap_or(""), args.flag("field-selector").unwrap_or(""));
    let unable = |why: String| {
        let of = asked.first().map_or("", |one| one.kind.plural);
        let version = asked.first().map_or(String::new(), |one| one.kind.group_version());
        let version = if version.contains('/') { version } else { format!("/{version}") };
        format!(
            "Error from server (BadRequest): Unable to find \"{version}, Resource={of}\" that \
             match label selector \"{written}\", field selector \"{fielded}\": {why}"
        )
    };
    let labels = Selector::parse(written).map_err(unable)?;
    let fields = Selector::parse(fielded).map_err(unable)?;
    for one in asked {
        super::select::fields_of(one.kind, &fields).map_err(unable)?;
    }
    let namespace = namespace(cluster, args);
    let within = (!args.has("all-namespaces")).then_some(namespace.as_str());
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for one in asked {
        let mut list = Vec::new();
        if one.names.is_empty() {
            list = cluster.list(one.kind, within);
            list.retain(|object| labels.takes_labels(object) && fields.takes_fields(object));
        }
        for name in &one.names {
            match cluster.one(one.kind, &namespace, name) {
                Some(object) => list.push(object),
                None => missing.push(not_found(one.kind, name)),
            }
        }
        found.push((one.kind, list));
    }
    Ok((found, missing))
}

pub(super) fn run(cluster: &Cluster, args: &Args) -> Said {
    if args.words.is_empty() {
        return Said::failed(
            "You must specify the type of resource to get. Use \"kubectl api-resources\" for a \
             complete list of supported resources.\n\nerror: Required resource not specified.\nUse \
             \"kubectl explain <resource>\" for a detailed description of that resource (e.g. \
             kubectl explain pods).\nSee 'kubectl get -h' for help and examples",
        );
    }
    let found = asked(&args.words).and_then(|asked| find(cluster, args, &asked));
    let (mut found, mut missing) = match found {
        Ok(found) => found,
        Err(why) => return Said::error(&why),
    };
    if args.has("ignore-not-found") {
        missing.clear();
    }
    if let Some(path) = args.flag("sort-by") {
        let has = |one: &&Tree| jsonpath::values(path, one).is_ok_and(|found| !found.is_empty());
        if !found.iter().all(|(_, list)| list.is_empty() || list.iter().any(has)) {
            let bare = path.trim_start_matches(['{', '.']).trim_end_matches('}');
            let why =
                format!("couldn't find any field with path \"{{.{bare}}}\" in the list of objects");
            return Said::error(&why);
        }
        for (_, list) in &mut found {
            sort(list, path);
        }
    }
    let mut said = Said::default();
    if found.iter().any(|(kind, _)| kind.name == "Endpoints") {
        said.err = "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 \
                    EndpointSlice\n"
            .to_owned();
    }
    let shown = match args.flag("output").unwrap_or("") {
        "" if args.flag("template").is_some() => formatted("go-template", args, &found),
        "" | "wide" => Ok(tables(cluster, args, &found)),
        format => formatted(format, args, &found),
    };
    match shown {
        Ok(text) => said.out = text,
        Err(why) => return Said::error(&why),
    }
    let table = matches!(args.flag("output"), None | Some("wide"));
    if table && said.out.is_empty() && missing.is_empty() && !args.has("ignore-not-found") {
        let cluster_wide = found.iter().all(|(kind, _)| !kind.namespaced);
        said.err.push_str(&match args.has("all-namespaces") || cluster_wide {
            true => "No resources found\n".to_owned(),
            false => format!("No resources found in {} namespace.\n", namespace(cluster, args)),
        });
    }
    for line in &missing {
        said.err.push_str(&format!("{line}\n"));
        said.exit = 1;
    }
    said
}

/// By the value of a path: numbers as numbers, all else as text.
fn sort(list: &mut [&Tree], path: &str) {
    let key = |object: &Tree| {
        let values = jsonpath::values(path, object).unwrap_or_default();
        match values.first() {
            Some(Tree::Int(number)) => (*number, String::new()),
            Some(other) => (0, other.show()),
            None => (i64::MIN, String::new()),
        }
    };
    list.order_by_key(|object| key(object));
}

fn tables(cluster: &Cluster, args: &Args, found: &[(&'static Kind, Vec<&Tree>)]) -> String {
    let many = found.len() > 1 || args.word(0) == "all" || args.has("show-kind");
    let mut out = String::new();
    for (kind, list) in found.iter().filter(|(_, list)| !list.is_empty()) {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&table(&lines(cluster, args, kind, list, many), args.has("no-headers")));
    }
    out
}

/// The cells of objects of one kind, below their headings.
pub(super) fn lines(
    cluster: &Cluster,
    args: &Args,
    kind: &Kind,
    list: &[&Tree],
    many: bool,
) -> Vec<Vec<String>> {
    let wide = args.flag("output") == Some("wide");
    let (mut head, n_wide) = rows::columns(kind);
    let n_shown = if wide { head.len() } else { head.len() - n_wide };
    head.truncate(n_shown);
    let mut lines = vec![head.into_iter().map(str::to_owned).collect::<Vec<_>>()];
    for object in list {
        let mut cells = rows::cells(cluster, kind, object);
        cells.truncate(n_shown);
        if let Some(name) = cells.first_mut().filter(|_| many && kind.name != "Event") {
            *name = format!("{}/{name}", kind.prefix());
        }
        lines.push(cells);
    }
    add_labels(args, &mut lines, list);
    if args.has("all-namespaces") && kind.namespaced {
        lines[0].insert(0, "NAMESPACE".to_owned());
        for (line, object) in lines.iter_mut().skip(1).zip(list) {
            line.insert(0, object.text("metadata.namespace").to_owned());
        }
    }
    lines
}

fn add_labels(args: &Args, lines: &mut [Vec<String>], list: &[&Tree]) {
    let columns = args.all("label-columns").iter().flat_map(|one| one.split(','));
    let columns: Vec<&str> = columns.collect();
    let with_all = args.has("show-labels");
    for (i, line) in lines.iter_mut().enumerate() {
        let labels = i.checked_sub(1).and_then(|i| list.get(i)).map(|o| o.at("metadata.labels"));
        for key in &columns {
            let name = key.rsplit('/').next().unwrap_or(key).to_uppercase();
            line.push(labels.map_or(name, |labels| labels.get(key).show()));
        }
        if with_all {
            line.push(labels.map_or("LABELS".to_owned(), super::select::show_map));
        }
    }
}

/// Lines in columns, as wide as their widest cells.
pub(super) fn table(lines: &[Vec<String>], no_headers: bool) -> String {
    let mut table = Table::default();
    let shown = || lines.iter().skip(usize::from(no_headers));
    shown().for_each(|line| table.widen(line));
    shown().map(|line| table.line(line)).collect()
}

/// Everything found as one object: itself where one was asked for by name, else a List.
fn as_one(args: &Args, found: &[(&'static Kind, Vec<&Tree>)]) -> Tree {
    let mut all: Vec<Tree> =
        found.iter().flat_map(|(_, list)| list.iter().copied().cloned()).collect();
    for object in &mut all {
        object.put("seriesAt", Tree::Null);
        if let Some(of) = object.get_mut("involvedObject") {
            of.put("life", Tree::Null);
        }
    }
    let named = args.words.len() == 2 || (args.words.len() == 1 && args.word(0).contains('/'));
    let watched = args.has("watch") || args.has("watch-only");
    if (named || watched) && all.len() == 1 {
        return all.remove(0);
    }
    Tree::of(vec![
        ("apiVersion", Tree::from("v1")),
        ("items", Tree::List(all)),
        ("kind", Tree::from("List")),
        ("metadata", Tree::of(vec![("resourceVersion", Tree::from(""))])),
    ])
}

pub(super) fn formatted(
    format: &str,
    args: &Args,
    found: &[(&'static Kind, Vec<&Tree>)],
) -> Result<String, String> {
    let (name, template) = format.split_once('=').unwrap_or((format, ""));
    let template = if template.is_empty() { args.flag("template").unwrap_or("") } else { template };
    let empty = found.iter().all(|(_, list)| list.is_empty());
    if empty && args.words.len() > 1 {
        return Ok(String::new());
    }
    let mut out = String::new();
    match name {
        "yaml" => out = dump::yaml(&as_one(args, found)),
        "json" => {
            dump::json(&as_one(args, found), 4, 0, &mut out);
            out.push('\n');
        }
        "name" => {
            for (kind, list) in found {
                for object in list {
                    out.push_str(&format!("{}/{}\n", kind.prefix(), object.text("metadata.name")));
                }
            }
        }
        "jsonpath" | "jsonpath-as-json" if template.is_empty() => {
            return Err("template format specified but no template given".to_owned());
        }
        "go-template" | "template" if template.is_empty() => {
            return Err("template format specified but no template given".to_owned());
        }
        "go-template" | "template" => {
            out = super::template::fill(template, &as_one(args, found))?;
        }
        "jsonpath" => out = jsonpath::fill(template, &as_one(args, found))?,
        "jsonpath-as-json" => {
            let one = as_one(args, found);
            let all = jsonpath::values(template, &one)?.into_iter().cloned().collect();
            dump::json(&Tree::List(all), 4, 0, &mut out);
            out.push('\n');
        }
        "custom-columns" => out = columns(template, args, found)?,
        _ => {
            let known = "custom-columns,custom-columns-file,go-template,go-template-file,json,\
                         jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,\
                         wide,yaml";
            if known.split(',').any(|one| one == name) {
                return Err(format!("not simulated: the output format {name}"));
            }
            return Err(format!(
                "unable to match a printer suitable for the output format \"{format}\", allowed \
                 formats are: {known}"
            ));
        }
    }
    Ok(out)
}

/// What a command that makes or changes things says to a format it does not know.
pub(super) fn no_printer(format: &str) -> String {
    format!(
        "unable to match a printer suitable for the output format \"{format}\", allowed formats \
         are: go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,\
         template,templatefile,yaml"
    )
}

fn columns(
    template: &str,
    args: &Args,
    found: &[(&'static Kind, Vec<&Tree>)],
) -> Result<String, String> {
    if template.is_empty() {
        return Err("custom-columns format specified but no custom columns given".to_owned());
    }
    let mut specs = Vec::new();
    for part in template.split(',') {
        let wrong = || {
            format!("unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>")
        };
        specs.push(part.split_once(':').ok_or_else(wrong)?);
    }
    let mut lines = vec![specs.iter().map(|(head, _)| (*head).to_owned()).collect::<Vec<_>>()];
    for object in found.iter().flat_map(|(_, list)| list) {
        let mut line = Vec::new();
        for (_, path) in &specs {
            let values = jsonpath::values(path, object)?;
            let all: Vec<String> = values.into_iter().map(jsonpath::shown).collect();
            line.push(if all.is_empty() { "<none>".to_owned() } else { all.join(",") });
        }
        lines.push(line);
    }
    Ok(table(&lines, args.has("no-headers")))
}
