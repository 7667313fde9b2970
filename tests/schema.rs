//! The field tables are generated from k8s-openapi's schemas; this holds the committed files to
//! them. `UPDATE_EXPECT=1` writes them anew.

use k8s_openapi::api::{
    admissionregistration::v1 as admission, apps::v1 as apps, autoscaling::v1 as scaling1,
    autoscaling::v2 as scaling, batch::v1 as batch, certificates::v1 as certificates,
    coordination::v1 as coordination, core::v1 as core, discovery::v1 as discovery,
    events::v1 as events, networking::v1 as networking, node::v1 as node, policy::v1 as policy,
    rbac::v1 as rbac, scheduling::v1 as scheduling, storage::v1 as storage,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1 as extensions;
use k8s_openapi::{ClusterResourceScope, NamespaceResourceScope, Resource};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;
use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt::Write;

/// `io.k8s.api.core.v1.Pod` -> `core/v1.Pod`.
fn short(definition: &str) -> String {
    let name = definition
        .trim_start_matches("#/$defs/")
        .trim_start_matches("io.k8s.apimachinery.pkg.apis.")
        .trim_start_matches("io.k8s.api.");
    let mut parts = name.splitn(2, '.');
    format!("{}/{}", parts.next().unwrap_or(""), parts.next().unwrap_or(""))
}

fn type_word(schema: &Value) -> String {
    if let Some(to) = schema["$ref"].as_str() {
        return match to.rsplit('.').next().unwrap_or("") {
            "Quantity" => "quantity".into(),
            "IntOrString" => "int-or-string".into(),
            "Time" | "MicroTime" => "time".into(),
            "RawExtension" | "FieldsV1" | "JSON" => "any".into(),
            _ => short(to),
        };
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("array"), _) => format!("[{}]", type_word(&schema["items"])),
        (Some("object"), _) if schema["additionalProperties"].is_object() => {
            format!("{{{}}}", type_word(&schema["additionalProperties"]))
        }
        (Some("integer"), Some(format)) => format.to_owned(),
        (Some("integer"), None) => "int64".into(),
        (Some("number"), _) => "double".into(),
        (Some("boolean"), _) => "bool".into(),
        (Some("string"), Some("byte")) => "bytes".into(),
        (Some("string"), _) => "string".into(),
        (_, _) => "any".into(),
    }
}

struct Tables {
    generator: SchemaGenerator,
    kinds: String,
}

impl Tables {
    /// A kind whose fields are in the table.
    fn full<T: Resource + JsonSchema + Any>(&mut self)
    where
        T::Scope: Any,
    {
        self.generator.subschema_for::<T>();
        self.kind::<T>(&short(&T::schema_name()));
    }

    /// A kind the server knows and the table does not describe.
    fn name_only<T: Resource>(&mut self)
    where
        T::Scope: Any,
    {
        self.kind::<T>("any");
    }

    fn kind<T: Resource>(&mut self, described: &str)
    where
        T::Scope: Any,
    {
        let scope = TypeId::of::<T::Scope>();
        let scope = match () {
            () if scope == TypeId::of::<NamespaceResourceScope>() => "namespaced",
            () if scope == TypeId::of::<ClusterResourceScope>() => "cluster",
            () => "sub",
        };
        let (version, kind, plural) = (T::API_VERSION, T::KIND, T::URL_PATH_SEGMENT);
        let _ = writeln!(self.kinds, "kind {version} {kind} {plural} {scope} {described}");
    }
}

macro_rules! all {
    ($tables:ident.$method:ident: $($kind:ty),* $(,)?) => { $($tables.$method::<$kind>();)* };
}

fn tables() -> Tables {
    let mut t = Tables { generator: SchemaGenerator::default(), kinds: String::new() };
    all!(t.full: core::Pod, apps::Deployment, apps::ReplicaSet, apps::StatefulSet,
        apps::DaemonSet, batch::Job, batch::CronJob, core::Service, core::ConfigMap, core::Secret,
        core::Namespace, core::ServiceAccount, core::PersistentVolume,
        core::PersistentVolumeClaim, networking::Ingress, networking::NetworkPolicy,
        policy::PodDisruptionBudget, scaling::HorizontalPodAutoscaler,
        scaling1::HorizontalPodAutoscaler, storage::StorageClass, rbac::Role, rbac::ClusterRole,
        rbac::RoleBinding, rbac::ClusterRoleBinding, core::ResourceQuota, core::LimitRange,
        discovery::EndpointSlice, scheduling::PriorityClass, core::PodTemplate, core::Endpoints,
        node::RuntimeClass, networking::IngressClass, core::ReplicationController,
        apps::ControllerRevision, coordination::Lease);
    all!(t.name_only: core::Node, core::Event, events::Event, core::Binding,
        core::ComponentStatus, certificates::CertificateSigningRequest,
        admission::ValidatingWebhookConfiguration, admission::MutatingWebhookConfiguration,
        admission::ValidatingAdmissionPolicy, admission::ValidatingAdmissionPolicyBinding,
        extensions::CustomResourceDefinition, storage::CSIDriver, storage::CSINode,
        storage::CSIStorageCapacity, storage::VolumeAttachment, storage::VolumeAttributesClass,
        networking::IPAddress, networking::ServiceCIDR);
    t
}

/// The compact table and the descriptions for hovers.
fn written() -> (String, String) {
    let mut tables = tables();
    let mut out = String::from(
        "# Generated by tests/schema.rs from k8s-openapi 0.29 (v1_36); UPDATE_EXPECT=1 rewrites it.\n",
    );
    out.push_str(&tables.kinds);
    let mut docs: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let definitions = tables.generator.take_definitions(true);
    for (name, schema) in &definitions {
        let Some(fields) = schema["properties"].as_object() else { continue };
        let name = short(name);
        let _ = writeln!(out, "{name}");
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let about = docs.entry(name).or_default();
        about.insert(String::new(), schema["description"].as_str().unwrap_or("").into());
        let sorted: BTreeMap<_, _> = fields.iter().collect();
        for (field, schema) in sorted {
            // k8s-openapi asks for metadata, the server does not.
            let needed = required.contains(&field.as_str()) && field != "metadata";
            let mark = if needed { "!" } else { "" };
            let _ = writeln!(out, " {field}{mark} {}", type_word(schema));
            about.insert(field.clone(), schema["description"].as_str().unwrap_or("").into());
        }
    }
    (out, serde_json::to_string(&docs).expect("strings make JSON") + "\n")
}

/// Whether the file holds what it should; writes it where asked to.
fn is_current(path: &str, text: &str) -> bool {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, text).expect("writable");
    }
    std::fs::read_to_string(&path).unwrap_or_default() == text
}

#[test]
fn tables_are_current() {
    let (table, docs) = written();
    assert!(is_current("src/kube/schema/table.txt", &table), "stale: UPDATE_EXPECT=1 writes it");
    assert!(is_current("public/schema-docs-v1_36.json", &docs), "stale: UPDATE_EXPECT=1");
    assert_ne!(table, table.replacen("string", "int32", 1), "a changed type makes a difference");
}
