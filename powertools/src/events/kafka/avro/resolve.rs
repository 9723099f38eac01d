//! Resolves the schema of a writer to that of a reader.
//!
//! It follows "Schema Resolution" in the specification of Avro 1.12. Where that leaves the meaning of a
//! value to a guess, the two do not match: see `docs/guide/kafka_values.md`.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use apache_avro::Schema;
use apache_avro::schema::{EnumSchema, RecordField, RecordSchema, ResolvedSchema, UnionSchema};
use serde_json::Value as Json;

use super::default::encode;
use super::plan::{Branch, Branches, Default, Form, Id, Node, Plan, Record, Step};
use super::schema::{At, Kind, Logical, NameMatch};
use super::walk;

/// The attribute that `derive(AvroSchema)` gives to a record around the field of a variant.
const VARIANT: &str = "org.apache.avro.rust.union_of_records";

/// Returns how data of the writer is read by the reader. Parts that do not match are errors only of
/// data that has them.
pub(super) fn resolve(writer: &Schema, reader: &Schema) -> Result<Plan, String> {
    let names = |schema, whose| {
        ResolvedSchema::new(schema).map_err(|_| format!("the {whose}'s schema lacks a named type"))
    };
    let (writers, readers) = (names(writer, "writer")?, names(reader, "reader")?);
    let (writer, reader) = (At::root(writer, &writers), At::root(reader, &readers));
    let mut resolver =
        Resolver { nodes: Vec::new(), known: HashMap::new(), queue: VecDeque::new() };
    let path = reader.name().unwrap_or("the value").to_owned();
    let root = resolver.pair(writer, reader, &path);
    while let Some((id, [writer, reader], path)) = resolver.queue.pop_front() {
        let (Kind::Record(from), Kind::Record(to)) = (writer.kind(), reader.kind()) else {
            continue;
        };
        let record = resolver.record((writer, from), (reader, to), &path);
        resolver.nodes[id] = record.map_or_else(Node::Mismatch, Node::Record);
    }
    let mut plan = Plan { nodes: resolver.nodes, root };
    count_defaults(&mut plan)?;
    Ok(plan)
}

/// Sets the number of values of each default, which is known when all records are resolved.
fn count_defaults(plan: &mut Plan) -> Result<(), String> {
    for id in 0..plan.nodes.len() {
        let Node::Record(record) = &mut plan.nodes[id] else { continue };
        let mut defaults = std::mem::take(&mut record.defaults);
        for default in &mut defaults {
            default.count = walk::count(plan, default.node, &default.data)?;
        }
        if let Node::Record(record) = &mut plan.nodes[id] {
            record.defaults = defaults;
        }
    }
    Ok(())
}

struct Resolver<'a> {
    nodes: Vec<Node>,
    /// The nodes of pairs of records, which can contain themselves.
    known: HashMap<[*const RecordSchema; 2], Id>,
    /// Records whose fields are not resolved yet. A chain of them would need a deep stack.
    queue: VecDeque<(Id, [At<'a>; 2], String)>,
}

impl<'a> Resolver<'a> {
    fn add(&mut self, node: Node) -> Id {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Resolves two schemas at a path of the reader's fields.
    fn pair(&mut self, writer: At<'a>, reader: At<'a>, path: &str) -> Id {
        let (writer, reader) = match (writer.target(), reader.target()) {
            (Ok(writer), Ok(reader)) => (writer, reader),
            (Err(error), _) | (_, Err(error)) => return self.add(Node::Mismatch(error)),
        };
        let node = match (writer.kind(), reader.kind()) {
            (Kind::Union(union), _) => {
                let branches = union.variants().iter();
                let pairs = branches.map(|branch| self.pair(writer.inner(branch), reader, path));
                Ok(Node::Union(pairs.collect()))
            }
            (_, Kind::Union(union)) => self.branch(writer, (reader, union), path),
            (Kind::Record(from), Kind::Record(to)) => {
                if reader.name_match(writer).is_some() {
                    return self.records((writer, from), (reader, to), path);
                }
                Err(mismatch(writer, reader))
            }
            (Kind::Array(from), Kind::Array(to)) => {
                let items = (writer.inner(from), reader.inner(to));
                Ok(Node::Array(self.pair(items.0, items.1, &format!("{path}[]"))))
            }
            (Kind::Map(from), Kind::Map(to)) => {
                let values = (writer.inner(from), reader.inner(to));
                Ok(Node::Map(self.pair(values.0, values.1, &format!("{path}{{}}"))))
            }
            _ => leaf(writer, reader),
        };
        self.add(node.unwrap_or_else(|reason| Node::Mismatch(format!("{path}: {reason}"))))
    }

    fn branch(
        &mut self,
        writer: At<'a>,
        (reader, union): (At<'a>, &'a UnionSchema),
        path: &str,
    ) -> Result<Node, String> {
        let variants: Result<Vec<_>, _> =
            union.variants().iter().map(|variant| reader.inner(variant).target()).collect();
        let variants = variants?;
        let index = choose(writer, &variants).ok_or_else(|| {
            let variants: Vec<_> = variants.iter().map(At::to_string).collect();
            format!("the writer's {writer} fits no branch of [{}]", variants.join(", "))
        })?;
        let is_record = |at: &&At<'_>| matches!(at.kind(), Kind::Record(_) | Kind::Map(_));
        let of = Arc::new(Branches {
            names: variants.iter().map(|at| at.name().map(str::to_owned)).collect(),
            null: variants.iter().position(|at| matches!(at.kind(), Kind::Null)),
            records: variants.iter().filter(is_record).count(),
        });
        let node = self.pair(writer, variants[index], path);
        Ok(Node::Branch(Branch { index, of }, node))
    }

    /// Returns the node of a pair of records, whose fields are resolved later.
    fn records(
        &mut self,
        (writer, from): (At<'a>, &'a RecordSchema),
        (reader, to): (At<'a>, &'a RecordSchema),
        path: &str,
    ) -> Id {
        let key = [std::ptr::from_ref(from), std::ptr::from_ref(to)];
        if let Some(id) = self.known.get(&key) {
            return *id;
        }
        let id = self.add(Node::Record(Record::default()));
        self.known.insert(key, id);
        self.queue.push_back((id, [writer, reader], path.to_owned()));
        id
    }

    fn record(
        &mut self,
        (writer, from): (At<'a>, &'a RecordSchema),
        (reader, to): (At<'a>, &'a RecordSchema),
        path: &str,
    ) -> Result<Record, String> {
        let mut record = Record {
            names: to.fields.iter().map(|field| field.name.clone()).collect(),
            is_variant: to.attributes.get(VARIANT) == Some(&Json::Bool(true))
                && to.fields.len() == 1,
            ..Record::default()
        };
        // The place in the reader's record of each of the writer's fields.
        let mut places = vec![None; from.fields.len()];
        for (place, field) in to.fields.iter().enumerate() {
            let path = format!("{path}.{}", field.name);
            let written = written(from, to, field).map_err(|error| format!("{path}: {error}"))?;
            if let Some(written) = written {
                if places[written].replace(place).is_some() {
                    return Err(format!("{path}: another field is read from the same one"));
                }
                continue;
            }
            let Some(json) = &field.default else {
                return Err(format!("{path}: the writer does not have it, and it has no default"));
            };
            let at = reader.field(to, field);
            let data = encode(json, at)
                .ok_or_else(|| format!("{path}: the default does not fit its type"))?;
            let node = self.pair(at, at, &path);
            record.defaults.push(Default { field: place, node, data, count: 0 });
        }
        for (field, place) in from.fields.iter().zip(places) {
            let at = writer.field(from, field);
            let target = place.map_or(at, |place| reader.field(to, &to.fields[place]));
            let node = self.pair(at, target, &format!("{path}.{}", field.name));
            record.steps.push(Step { field: place, node });
        }
        Ok(record)
    }
}

/// Returns the place of the writer's field that a field of the reader is read from. Its name takes precedence over
/// its aliases.
fn written(
    from: &RecordSchema,
    to: &RecordSchema,
    field: &RecordField,
) -> Result<Option<usize>, String> {
    let place = |name: &str| from.fields.iter().position(|written| written.name == name);
    if let Some(place) = place(&field.name) {
        return Ok(Some(place));
    }
    // A field that the reader still has under this name is read as that.
    let is_free = |alias: &&String| to.fields.iter().all(|other| other.name != **alias);
    let mut aliases: Vec<_> =
        field.aliases.iter().filter(is_free).filter_map(|alias| place(alias)).collect();
    aliases.sort_unstable();
    aliases.dedup();
    match aliases[..] {
        [] => Ok(None),
        [place] => Ok(Some(place)),
        _ => Err("the writer has several fields that are aliases of it".to_owned()),
    }
}

/// Returns the branch of the reader's union for a schema of the writer.
///
/// The specification takes the first branch that matches. By that alone the same union at both ends could
/// change the branch: a string would be read as bytes, if these come first. So the same type takes
/// precedence over one that it is promoted to, as in Java (`Resolver.ReaderUnion`), and the same full name
/// over one that is the same without the namespace. Among equals it is the first.
fn choose(writer: At<'_>, variants: &[At<'_>]) -> Option<usize> {
    let rank = |variant: &At<'_>| match (writer.kind(), variant.kind()) {
        (Kind::Record(_), Kind::Record(_))
        | (Kind::Enum(_), Kind::Enum(_))
        | (Kind::Fixed(_), Kind::Fixed(_)) => match variant.name_match(writer) {
            Some(found) => Some((0, Some(found))),
            None => leaf(writer, *variant).is_ok().then_some((1, None)),
        },
        (Kind::Array(_), Kind::Array(_)) | (Kind::Map(_), Kind::Map(_)) => Some((0, None)),
        (Kind::Number(from), Kind::Number(to)) if from == to => Some((0, None)),
        // Another logical type makes this an error and not another branch.
        (Kind::Null, Kind::Null)
        | (Kind::Boolean, Kind::Boolean)
        | (Kind::Bytes, Kind::Bytes)
        | (Kind::String, Kind::String) => Some((0, None)),
        _ => leaf(writer, *variant).is_ok().then_some((1, None)),
    };
    let ranks = variants.iter().map(rank).enumerate();
    let ranks = ranks.filter_map(|(index, rank)| Some((rank?, index)));
    ranks.min().map(|(_, index): ((u8, Option<NameMatch>), usize)| index)
}

/// Resolves two schemas that contain no others.
fn leaf(writer: At<'_>, reader: At<'_>) -> Result<Node, String> {
    let (from, to) = (writer.kind(), reader.kind());
    let is_uuid = |at: At<'_>| at.logical() == Some(Logical::Uuid);
    let is_plain = writer.logical().is_none() && reader.logical().is_none();
    let form = reader.form(matches!(from, Kind::String));
    let node = match (from, to) {
        (Kind::Null, Kind::Null) => Node::Null,
        (Kind::Boolean, Kind::Boolean) => Node::Boolean,
        (Kind::Number(writer), Kind::Number(reader)) if writer == reader => {
            Node::Number { writer, reader }
        }
        // A number with a unit is not promoted to another one.
        (Kind::Number(from), Kind::Number(to)) if reader.logical().is_none() && from < to => {
            Node::Number { writer: from, reader: to }
        }
        (Kind::Bytes, Kind::Bytes) | (Kind::String, Kind::String) => Node::Bytes(form),
        (Kind::Bytes, Kind::String) | (Kind::String, Kind::Bytes) if is_plain => Node::Bytes(form),
        (Kind::Fixed(from), Kind::Fixed(to))
            if from.size == to.size && reader.name_match(writer).is_some() =>
        {
            Node::Fixed(from.size, form)
        }
        (Kind::Enum(from), Kind::Enum(to)) if reader.name_match(writer).is_some() => {
            Node::Enum(symbols(from, to))
        }
        // The specification lets only the same types match, but a UUID is the same in each of them.
        (Kind::Bytes | Kind::String, Kind::Fixed(_) | Kind::Bytes | Kind::String)
            if is_uuid(writer) && is_uuid(reader) =>
        {
            Node::Bytes(form)
        }
        (Kind::Fixed(fixed), Kind::Fixed(_) | Kind::Bytes | Kind::String)
            if is_uuid(writer) && is_uuid(reader) =>
        {
            Node::Fixed(fixed.size, Form::UuidBytes)
        }
        _ => return Err(mismatch(writer, reader)),
    };
    match (writer.logical(), reader.logical()) {
        // A reader that asks for the plain type gets it.
        (_, None) => Ok(node),
        // The scale of an amount would be a guess.
        (None, Some(Logical::Decimal { .. } | Logical::BigDecimal)) => {
            Err(mismatch(writer, reader))
        }
        (None, Some(_)) => Ok(node),
        (
            Some(Logical::Decimal { precision: from, scale }),
            Some(Logical::Decimal { precision: to, scale: expected }),
        ) if scale == expected && from <= to => Ok(node),
        (from, to) if from == to => Ok(node),
        _ => Err(mismatch(writer, reader)),
    }
}

fn symbols(writer: &EnumSchema, reader: &EnumSchema) -> Vec<Option<String>> {
    let known = |symbol: &String| {
        let known = reader.symbols.contains(symbol).then_some(symbol);
        known.or(reader.default.as_ref()).cloned()
    };
    writer.symbols.iter().map(known).collect()
}

fn mismatch(writer: At<'_>, reader: At<'_>) -> String {
    format!("the writer's {writer} does not fit the reader's {reader}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::kafka::avro::walk::{Size, size};

    fn plan(writer: &str, reader: &str) -> Plan {
        let [writer, reader] = [writer, reader].map(|text| Schema::parse_str(text).unwrap());
        resolve(&writer, &reader).unwrap()
    }

    /// Returns the branch of the reader's union.
    fn branch(writer: &str, reader: &str) -> Option<usize> {
        let plan = plan(writer, reader);
        match &plan.nodes[plan.root] {
            Node::Branch(branch, _) => Some(branch.index),
            _ => None,
        }
    }

    #[test]
    fn the_same_type_takes_precedence_over_a_promotion() {
        assert_eq!(branch(r#""string""#, r#"["null", "bytes", "string"]"#), Some(2));
        assert_eq!(branch(r#""int""#, r#"["double", "long", "int"]"#), Some(2));
        assert_eq!(branch(r#""int""#, r#"["string", "double", "long"]"#), Some(1));
        assert_eq!(branch(r#""boolean""#, r#"["null", "long", "string"]"#), None);
    }

    #[test]
    fn a_full_name_takes_precedence_over_one_without_a_namespace() {
        let record =
            |name: &str| format!(r#"{{"type": "record", "name": "{name}", "fields": []}}"#);
        let alias = |name: &str, alias: &str| {
            record(name).replace("fields", &format!(r#"aliases": ["{alias}"], "fields"#))
        };
        let union = |records: [&String; 2]| format!("[{}, {}]", records[0], records[1]);
        let other = record("a.X");
        assert_eq!(branch(&record("w.X"), &union([&other, &record("w.X")])), Some(1));
        assert_eq!(branch(&record("w.X"), &union([&other, &alias("Y", "w.X")])), Some(1));
        assert_eq!(branch(&record("w.X"), &union([&alias("Y", "b.X"), &other])), Some(1));
        assert_eq!(branch(&record("w.X"), &union([&other, &record("b.X")])), Some(0));
        assert_eq!(branch(&record("w.X"), &union([&record("b.Y"), &record("Z")])), None);
    }

    /// Another branch would hide that the unit is wrong.
    #[test]
    fn a_branch_with_another_logical_type_is_no_reason_for_another_branch() {
        let plan = plan(
            r#"{"type": "long", "logicalType": "timestamp-millis"}"#,
            r#"["double", {"type": "long", "logicalType": "timestamp-micros"}]"#,
        );
        assert!(plan.nodes.iter().any(|node| matches!(node, Node::Mismatch(_))));
    }

    #[test]
    fn a_plan_is_as_large_as_the_schemas() {
        let node = r#"{"type": "record", "name": "Node", "fields": [
            {"name": "a", "type": ["null", "Node"]}, {"name": "b", "type": ["null", "Node"]}]}"#;
        // A record, two unions, and two branches with what is in them.
        assert!(plan(node, node).nodes.len() <= 11, "{:?}", plan(node, node));
    }

    #[test]
    fn defaults_count_as_values_and_bytes() {
        let writer = r#"{"type": "array", "items": {"type": "record", "name": "T", "fields": []}}"#;
        let reader = r#"{"type": "array", "items": {"type": "record", "name": "T", "fields": [
            {"name": "list", "type": {"type": "array", "items": "int"}, "default": [1, 2, 3]},
            {"name": "text", "type": "string", "default": "abc"}]}}"#;
        let plan = plan(writer, reader);
        // The array and ten records, with a list of three numbers and a string each.
        let count = 1 + 10 + 10 * (4 + 1);
        let defaults = 10 * ((5 + 4 * 32) + (4 + 32));
        assert_eq!(size(&plan, &[20, 0], defaults), Ok(Size { count, defaults }));
        assert!(size(&plan, &[20, 0], defaults - 1).is_err());
    }

    #[test]
    fn a_default_is_written_as_the_type_of_its_field() {
        let encoded = |schema: &str, json: &str| {
            let schema = Schema::parse_str(schema).unwrap();
            let names = ResolvedSchema::new(&schema).unwrap();
            encode(&serde_json::from_str(json).unwrap(), At::root(&schema, &names))
        };
        let fixed = r#"{"type": "fixed", "name": "F", "size": 2}"#;
        let record = r#"{"type": "record", "name": "R", "fields": [
            {"name": "a", "type": "int"}, {"name": "b", "type": "int", "default": 7}]}"#;
        let itself =
            r#"{"type": "record", "name": "R", "fields": [{"name": "a", "type": ["R", "null"]}]}"#;
        for (schema, json, expected) in [
            (r#""int""#, "-1", Some(&[1][..])),
            (r#""int""#, "2147483648", None),
            (r#""int""#, "1.0", None),
            (
                r#""long""#,
                "-9223372036854775808",
                Some(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
            ),
            (r#""float""#, "1", Some(&[0, 0, 0x80, 0x3f])),
            (r#""float""#, "1e300", None),
            (r#""bytes""#, r#""\u00ff""#, Some(&[2, 0xff])),
            (r#""bytes""#, r#""\u0100""#, None),
            (r#""string""#, r#""\u00ff""#, Some(&[4, 0xc3, 0xbf])),
            (fixed, r#""ab""#, Some(b"ab")),
            (fixed, r#""abc""#, None),
            (r#"{"type": "array", "items": "int"}"#, "[]", Some(&[0])),
            (r#"{"type": "map", "values": "int"}"#, r#"{"a": 1}"#, Some(&[2, 2, b'a', 2, 0])),
            (r#"["null", "int", "string"]"#, r#""a""#, Some(&[4, 2, b'a'])),
            (r#"["null", "int"]"#, r#""a""#, None),
            (record, r#"{"a": 1}"#, Some(&[2, 14])),
            (record, r#"{"b": 1}"#, None),
            (record, r#"{"a": 1, "c": 1}"#, None),
            (itself, r#"{"a": {"a": null}}"#, Some(&[0, 2])),
        ] {
            let expected = expected.map(<[u8]>::to_vec);
            let found = encoded(schema, json);
            assert_eq!(found, expected, "{schema} {json}");
        }
    }

    #[test]
    fn a_default_that_contains_itself_does_not_fit() {
        let mut schema = Schema::parse_str(
            r#"{"type": "record", "name": "R", "fields": [
                {"name": "a", "type": ["null", "R"]}, {"name": "b", "type": ["null", "R"]}]}"#,
        )
        .unwrap();
        let Schema::Record(record) = &mut schema else { unreachable!() };
        for field in &mut record.fields {
            field.schema = Schema::Ref { name: record.name.clone() };
            field.default = Some(serde_json::json!({}));
        }
        let names = ResolvedSchema::new(&schema).unwrap();
        assert_eq!(encode(&serde_json::json!({}), At::root(&schema, &names)), None);
    }
}
