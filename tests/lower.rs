//! Our lowering against k8s-openapi's own Deserialize: documents with every field that the tables
//! know, and the same with fields left out at random, must give the same typed objects.

use k8s_openapi::api::{apps::v1 as apps, batch::v1 as batch, core::v1 as core};
use podlab::kube::schema::{self, Shape, Type};
use podlab::kube::{Kind, lower};
use serde_json::{Map, Value, json};

/// Fields that lowering leaves out: the server sets them, or nothing here looks at them.
const LEFT_OUT: &[&str] = &["status", "managedFields", "creationTimestamp", "deletionTimestamp"];

/// Volume sources of vendors, kept as present without their fields.
const VENDORS: &[&str] = &[
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "iscsi",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
];

/// Makes documents; `keep` decides field by field.
struct Maker<'a> {
    keep: &'a mut dyn FnMut() -> bool,
    n: i64,
}

impl Maker<'_> {
    fn document(&mut self, ty: &Type) -> Value {
        let mut map = Map::new();
        for field in &ty.fields {
            // Objects inside objects, claim templates, may say what they are; k8s-openapi checks it.
            let header =
                ty.field("metadata").is_some() && ["apiVersion", "kind"].contains(&field.name);
            let skipped = header || LEFT_OUT.contains(&field.name) || VENDORS.contains(&field.name);
            if !skipped && (field.required || field.name == "metadata" || (self.keep)()) {
                map.insert(field.name.to_owned(), self.value(&field.shape));
            }
        }
        Value::Object(map)
    }

    fn value(&mut self, shape: &Shape) -> Value {
        self.n += 1;
        match shape {
            Shape::String => json!(format!("text-{}", self.n)),
            Shape::Int32 | Shape::Int64 => json!(self.n),
            Shape::Double => json!(0.5),
            Shape::Bool => json!(self.n % 2 == 0),
            Shape::Bytes => json!("aGVsbG8="),
            Shape::Quantity => json!(format!("{}m", self.n)),
            Shape::IntOrString if self.n % 2 == 0 => json!(self.n),
            Shape::IntOrString => json!(format!("{}%", self.n)),
            Shape::Time => json!("2026-01-02T03:04:05Z"),
            Shape::Any => Value::Null,
            Shape::Struct(name) => {
                let ty = schema::by_name(name).expect("tables hold together");
                self.document(ty)
            }
            Shape::Array(inner) => json!([self.value(inner), self.value(inner)]),
            Shape::Map(inner) => json!({ "one": self.value(inner), "two/b": self.value(inner) }),
        }
    }
}

/// The same text through both ways; the sentence on what differs.
fn differs(kind: &schema::Kind, document: &Value, text: &str) -> Option<String> {
    fn one<T>(ours: &T, document: &Value) -> Option<String>
    where
        T: serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        let theirs: T = match serde_json::from_value(document.clone()) {
            Ok(theirs) => theirs,
            Err(problem) => return Some(format!("serde: {problem}")),
        };
        (*ours != theirs).then(|| format!("ours {ours:?}\ntheirs {theirs:?}"))
    }
    let parsed = podlab::yaml::parse(text);
    if let Some(first) = parsed.diagnostics.first() {
        return Some(format!("{}: {}", kind.kind, first.message));
    }
    let desired = lower(&parsed);
    match &desired.objects.first()?.kind {
        Kind::Pod(ours) => one::<core::Pod>(ours, document),
        Kind::Deployment(ours) => one::<apps::Deployment>(ours, document),
        Kind::ReplicaSet(ours) => one::<apps::ReplicaSet>(ours, document),
        Kind::StatefulSet(ours) => one::<apps::StatefulSet>(ours, document),
        Kind::DaemonSet(ours) => one::<apps::DaemonSet>(ours, document),
        Kind::Job(ours) => one::<batch::Job>(ours, document),
        Kind::CronJob(ours) => one::<batch::CronJob>(ours, document),
        Kind::Service(ours) => one::<core::Service>(ours, document),
        Kind::ConfigMap(ours) => one::<core::ConfigMap>(ours, document),
        Kind::Secret(ours) => one::<core::Secret>(ours, document),
        Kind::PersistentVolumeClaim(ours) => one::<core::PersistentVolumeClaim>(ours, document),
        _ => Some(format!("{} is not lowered", kind.kind)),
    }
}

const TYPED: &[(&str, &str)] = &[
    ("v1", "Pod"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "PersistentVolumeClaim"),
];

fn check_all(keep: &mut dyn FnMut() -> bool) {
    for (api_version, kind_name) in TYPED {
        let kind = schema::kind(api_version, kind_name).expect("known");
        let ty = schema::type_of(api_version, kind_name).expect("described");
        let mut document = Maker { keep: &mut *keep, n: 0 }.document(ty);
        document["apiVersion"] = json!(api_version);
        document["kind"] = json!(kind_name);
        let as_json = serde_json::to_string_pretty(&document).expect("JSON");
        let as_yaml = serde_yaml::to_string(&document).expect("YAML");
        assert_eq!(differs(kind, &document, &as_json), None, "{kind_name} as JSON");
        assert_eq!(differs(kind, &document, &as_yaml), None, "{kind_name} as YAML");
    }
}

#[test]
fn every_field_arrives() {
    check_all(&mut || true);
}

#[test]
fn any_part_of_the_fields_arrives() {
    let mut state = 7_u64;
    for _ in 0..12 {
        check_all(&mut || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state >> 33 & 3 != 0
        });
    }
}

#[test]
fn a_lost_field_would_be_seen() {
    let kind = schema::kind("v1", "Pod").expect("known");
    let document = json!({"apiVersion": "v1", "kind": "Pod", "spec": {"hostname": "a"},
        "metadata": {}});
    let other = r#"{"apiVersion": "v1", "kind": "Pod", "spec": {"hostname": "b"}}"#;
    assert!(differs(kind, &document, other).is_some_and(|words| words.contains("hostname")));
}

#[test]
fn lists_are_unfolded() {
    let text = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod}\n\
                - {apiVersion: v1, kind: Service, metadata: {name: a}}\n---\n# nothing\n---\n\
                apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: b, namespace: c}\n";
    let desired = podlab::kube::desired(&podlab::yaml::parse(text));
    let found: Vec<String> = desired
        .objects
        .iter()
        .map(|one| format!("{} {} {:?}", one.kind.name(), one.name(), one.namespace()))
        .collect();
    let expected = ["Pod  Some(\"default\")", "Service a Some(\"default\")", "Thing b Some(\"c\")"];
    assert_eq!(found, expected);
}
