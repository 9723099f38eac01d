#!/usr/bin/env bash
# One would guess that #break in a template of velocityjs, inside an #if in a #foreach, ends the loop there and
# then: that is what it does in Velocity, the language of API Gateway's mapping templates and AppSync's resolvers.
# velocityjs renders the rest of that round first, after the #if, and ends the loop only then. What was to be left
# out is in the result, once. amplify-velocity-template, an offshoot of it, stops at once.
# Seen on 2026-11-30 with velocityjs 2.1.7 and amplify-velocity-template 1.4.17 on Node.js 20. Seen too: Velocity
# 1.7 itself (Debian) stops at once.
# For templates that are tried out locally (serverless-offline renders with velocityjs): "up to the first line that
# has no price" takes that line in. Put the rest of the round in the #else, which is right in all of them.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" velocityjs@2.1.7 amplify-velocity-template@1.4.17

cat > "$dir/probe.js" <<'JS'
const templates = [
  '#foreach($i in $list)#if($i == 2)#break#end[$i]#end',
  '#foreach($i in $list)#if($i == 2)#break#{else}[$i]#end#end',
  '#foreach($i in $list)#foreach($j in $list)#if($j == 2)#break#end$i$j #end;#end',
];
for (const name of ['velocityjs', 'amplify-velocity-template']) {
  const { Compile, parse } = require(name);
  for (const template of templates) {
    console.log(name, new Compile(parse(template)).render({ list: [1, 2, 3] }));
  }
}
JS
cat > "$dir/expected" <<'OUT'
velocityjs [1][2]
velocityjs [1]
velocityjs 11 12 ;21 22 ;31 32 ;
amplify-velocity-template [1]
amplify-velocity-template [1]
amplify-velocity-template 11 ;21 ;31 ;
OUT
node "$dir/probe.js" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the two ends loops differently now"; exit 1; }
echo "as recorded"
