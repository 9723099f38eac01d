#!/usr/bin/env bash
# One would guess that services which all sample half of their traces by OpenTelemetry's TraceIdRatioBased choose
# the same half: the sampler draws no lots, it decides by the trace id, which all of them have.
# Python and Rust look at the lower half of the id. JavaScript joins its four parts by exclusive or. Each samples
# half, but whether JavaScript samples a trace says nothing about whether Python does.
# Seen on 2026-11-30 with opentelemetry-sdk 1.45.2 on Python 3.11, opentelemetry_sdk 0.33.1 on Rust 1.95 and
# @opentelemetry/sdk-trace-base 2.12.1 on Node.js 20.
# For two services that each decide by themselves (no parentbased_ in front): where both sample one trace in ten, one
# in a hundred is whole. Let the second follow the first's decision, through queues and streams as well.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q opentelemetry-sdk==1.45.2
npm install --silent --no-audit --no-fund --prefix "$dir" @opentelemetry/sdk-trace-base@2.12.1 @opentelemetry/api@1.9.1

python3 -c 'from hashlib import md5
for number in range(1000): print(md5(b"%d" % number).hexdigest())' > "$dir/ids"
cat > "$dir/probe.py" <<'PY'
import sys

from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

sampler = TraceIdRatioBased(0.5)
for line in sys.stdin:
    print(int(sampler.should_sample(None, int(line, 16), "pay").decision.is_sampled()))
PY
cat > "$dir/probe.js" <<'JS'
const { SamplingDecision, TraceIdRatioBasedSampler } = require('@opentelemetry/sdk-trace-base');

const sampler = new TraceIdRatioBasedSampler(0.5);
for (const id of require('fs').readFileSync(0, 'utf8').trim().split('\n')) {
  console.log(Number(sampler.shouldSample({}, id).decision === SamplingDecision.RECORD_AND_SAMPLED));
}
JS
mkdir "$dir/src"
cat > "$dir/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.0.0"
edition = "2024"
[dependencies]
opentelemetry = { version = "=0.33.1", default-features = false, features = ["trace"] }
opentelemetry_sdk = { version = "=0.33.1", default-features = false, features = ["trace"] }
[profile.dev]
debug = false
TOML
cat > "$dir/src/main.rs" <<'RS'
use opentelemetry::TraceId;
use opentelemetry::trace::SpanKind;
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, ShouldSample as _};

fn main() {
    for id in std::io::stdin().lines() {
        let id = TraceId::from_hex(&id.unwrap()).unwrap();
        let result = Sampler::TraceIdRatioBased(0.5).should_sample(None, id, "pay", &SpanKind::Server, &[], &[]);
        println!("{}", u8::from(result.decision == SamplingDecision::RecordAndSample));
    }
}
RS
cat > "$dir/expected" <<'OUT'
python rust 503 503 both 503
python javascript 503 486 both 243
OUT
"$dir/venv/bin/python" "$dir/probe.py" < "$dir/ids" > "$dir/python"
node "$dir/probe.js" < "$dir/ids" > "$dir/javascript"
CARGO_TARGET_DIR="$dir/target" cargo run -q --manifest-path "$dir/Cargo.toml" < "$dir/ids" > "$dir/rust"
for other in rust javascript; do
  paste "$dir/python" "$dir/$other" |
    awk -v other="$other" '{ a += $1; b += $2; both += $1 * $2 } END { print "python", other, a, b, "both", both }'
done > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the samplers choose other traces now"; exit 1; }
echo "as recorded"
