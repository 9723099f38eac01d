#!/usr/bin/env bash
# The reader's schema has a field of type ["null", "string"] with the default "eu", and the writer
# had no such field. One would guess "eu" in the result, since Avro 1.12 lets a default fit any
# branch of a union, or a refused schema, as in the versions before, where it had to fit the first.
# The crate apache-avro accepts the schema and fills in null: it neither uses the default nor
# complains. With ["string", "null"] the same default is used, and one that fits no branch is
# refused, so the default was looked at.
# Seen on 2026-11-28 with apache-avro 0.22.0 on Rust 1.95.
# For a consumer that resolves schemas: a producer's schema that is older than the field gives
# null where the reader asked for a value. Defaults of unions must be checked when a schema is read.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/src"
cat > "$dir/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.0.0"
edition = "2024"
[dependencies]
apache-avro = { version = "=0.22.0", default-features = false }
[profile.dev]
debug = false
TOML
cat > "$dir/src/main.rs" <<'RS'
use apache_avro::{reader::datum::GenericDatumReader, Schema};

fn main() {
    let writer = Schema::parse_str(r#"{"type":"record","name":"Order","fields":[]}"#).unwrap();
    for (union, default) in [
        (r#"["null","string"]"#, r#""eu""#),
        (r#"["string","null"]"#, r#""eu""#),
        (r#"["null","string"]"#, "7"),
    ] {
        let text = format!(
            r#"{{"type":"record","name":"Order","fields":[{{"name":"region","type":{union},"default":{default}}}]}}"#
        );
        let Ok(reader) = Schema::parse_str(&text) else {
            println!("{union} {default}: schema refused");
            continue;
        };
        let value = GenericDatumReader::builder(&writer)
            .reader_schema(&reader)
            .build()
            .unwrap()
            .read_value(&mut &[][..]);
        println!("{union} {default}: {:?}", value.unwrap());
    }
}
RS
cat > "$dir/expected" <<'OUT'
["null","string"] "eu": Record([("region", Union(0, Null))])
["string","null"] "eu": Record([("region", Union(0, String("eu")))])
["null","string"] 7: schema refused
OUT
CARGO_TARGET_DIR="$dir/target" cargo run -q --manifest-path "$dir/Cargo.toml" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: apache-avro treats defaults of unions differently now"; exit 1; }
echo "as recorded"
