//! JSON of standard input as a tree without places, its fields in the order they are written: the
//! server's decoder tells what it meets first. Not how a manifest in JSON is read: that is `yaml`.

use crate::text::Span;
use crate::yaml::{Entry, Node, Scalar, Style, Value};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value of a case.
pub(super) struct Json(pub(super) Node);

/// A node that stands nowhere.
pub(super) fn plain(value: Value) -> Node {
    Node { span: Span::default(), value }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Json, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json(plain(Value::Null)))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Json, E> {
        Ok(Json(plain(Value::Bool(truth))))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json(plain(Value::Int(number))))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        let value = i64::try_from(number).map_or(Value::Float(number as f64), Value::Int);
        Ok(Json(plain(value)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(Json(plain(Value::Float(number))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        let text = text.to_owned();
        let scalar = Scalar { text, style: Style::DoubleQuoted, marks: Vec::new() };
        Ok(Json(plain(Value::Str(scalar))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(Json(item)) = from.next_element()? {
            items.push(item);
        }
        Ok(Json(plain(Value::Seq(items))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, Json(value))) = from.next_entry::<String, Json>()? {
            entries.push(Entry { key, key_span: Span::default(), value });
        }
        Ok(Json(plain(Value::Map(entries))))
    }
}
