#!/usr/bin/env bash
# One would guess that js-yaml-cloudformation-schema reads "!Condition IsProd" as {"Condition": "IsProd"}: it promises
# the shape that the template has in JSON, and that is CloudFormation's long form of a reference to a condition.
# It gives {"Fn::Condition": "IsProd"}, a function that CloudFormation does not have: it puts "Fn::" before every tag
# but !Ref. The !And, !Or and !Not around it are right. yaml-cfn, the parser of other tools, gives the long form.
# Seen on 2026-11-30 with js-yaml-cloudformation-schema 1.0.0, js-yaml 3.15.2 and yaml-cfn 0.3.2 on Node.js 20.
# For tools that read a template in YAML and write JSON, or look up what a condition depends on: those of one
# !Equals pass, and those that are made of other conditions do not. Rename the member after reading.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" \
    js-yaml-cloudformation-schema@1.0.0 js-yaml@3.15.2 yaml-cfn@0.3.2

cat > "$dir/template.yaml" <<'YAML'
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsLarge: !And [!Condition IsProd, !Not [!Condition IsTrial]]
YAML
cat > "$dir/probe.js" <<'JS'
const { readFileSync } = require('node:fs');
const yaml = require('js-yaml');
const { CLOUDFORMATION_SCHEMA } = require('js-yaml-cloudformation-schema');
const { yamlParse } = require('yaml-cfn');

const template = readFileSync(`${__dirname}/template.yaml`, 'utf8');
const read = {
  'js-yaml-cloudformation-schema': yaml.safeLoad(template, { schema: CLOUDFORMATION_SCHEMA }),
  'yaml-cfn': yamlParse(template),
};
for (const [name, { Conditions }] of Object.entries(read)) {
  for (const [key, value] of Object.entries(Conditions)) console.log(name, key, JSON.stringify(value));
}
JS
cat > "$dir/expected" <<'OUT'
js-yaml-cloudformation-schema IsProd {"Fn::Equals":[{"Ref":"Stage"},"prod"]}
js-yaml-cloudformation-schema IsLarge {"Fn::And":[{"Fn::Condition":"IsProd"},{"Fn::Not":[{"Fn::Condition":"IsTrial"}]}]}
yaml-cfn IsProd {"Fn::Equals":[{"Ref":"Stage"},"prod"]}
yaml-cfn IsLarge {"Fn::And":[{"Condition":"IsProd"},{"Fn::Not":[{"Condition":"IsTrial"}]}]}
OUT
node "$dir/probe.js" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two reads !Condition differently now"; exit 1; }
echo "as recorded"
