"use strict";
// Writes typescript-idempotency-redis.json: what Powertools for AWS Lambda (TypeScript) 2.35.0 does on a server of Redis.
//
//     npm install @aws-lambda-powertools/idempotency@2.35.0 @aws-lambda-powertools/jmespath@2.35.0 @redis/client@6.3.1
//     redis-server --port 7379 --save "" &
//     node typescript-idempotency-redis.js redis://127.0.0.1:7379 > typescript-idempotency-redis.json
//
// The time of the toolkit is always NOW, and an invocation always has 30 s left. Everything else is as it was published.

process.env.AWS_LAMBDA_FUNCTION_NAME = "orders-fn";

const { makeIdempotent, IdempotencyConfig } = require("@aws-lambda-powertools/idempotency");
const { CachePersistenceLayer } = require("@aws-lambda-powertools/idempotency/cache");
const { createClient } = require("@redis/client");

const NOW = 1_800_000_000;
Date.now = () => NOW * 1000;

const EVENT = { order_id: "o-1", amount: 100 };
const RESULT = { ok: true, order_id: "o-1" };
const KEY = "orders-fn#y8vblI3ha/5+SagfkVAKsQ==";
const SAME = "+JkTnfXhBZOWQxQV53DG3Q==";
const OTHER = "twaDXeeaK05YCAb1gq82eg==";
const OWNER = "00112233445566778899aabbccddeeff";
const CONTEXT = { functionName: "orders-fn", getRemainingTimeInMillis: () => 30_000 };

/** A record as the layer for caches writes it. */
function stored(status, { expiration = 3000, lease, validation, ...data } = {}) {
  const record = { status, expiration: NOW + expiration };
  if (lease !== undefined) record.in_progress_expiration = (NOW + lease) * 1000;
  if (validation !== undefined) record.validation = validation;
  return JSON.stringify({ ...record, ...data });
}

/** A record as the toolkit for Rust writes it. */
function ours(status, end = "") {
  const lease = status === "INPROGRESS" ? `,"in_progress_expiration":${NOW * 1000 + 30_000}` : "";
  return `{"owner":"${OWNER}","status":"${status}","expiration":${NOW + 3600}${lease}${end}}`;
}

const VALIDATED = { payloadValidationJmesPath: "amount" };
const FAILS = new RangeError("no such card");
const DATA = ',"data":{"ok":true,"order_id":"o-1"}';
const CASES = {
  "first call succeeds": {},
  "handler fails": { result: FAILS },
  "handler returns undefined": { result: undefined },
  "handler returns null": { result: null },
  "handler returns false": { result: false },
  "handler returns a fraction": { result: 10.5 },
  "handler returns a string": { result: "just text" },
  "handler returns a list": { result: [1, null, {}, []] },
  "unicode response": { result: { name: "Zoë ✓", n: 1 } },
  "payload validation": { config: VALIDATED },
  "expiry of 60 seconds": { config: { expiresAfterSeconds: 60 } },
  "no key, not raising": { event: { amount: 1 }, result: { ok: true } },
  "no key, raising": { event: { amount: 1 }, config: { throwOnNoIdempotencyKey: true } },
  "replay of a completed record": { stored: stored("COMPLETED", { data: RESULT }) },
  "replay of nothing": { stored: stored("COMPLETED") },
  "replay of null": { stored: stored("COMPLETED", { data: null }) },
  "replay of a number": { stored: stored("COMPLETED", { data: 7.5 }) },
  "replay of an expired record": { stored: stored("COMPLETED", { expiration: -1, data: "old" }) },
  "already in progress": { stored: stored("INPROGRESS", { lease: 20 }) },
  "in progress without a lease": { stored: stored("INPROGRESS") },
  "in progress, and the lease is over": { stored: stored("INPROGRESS", { lease: -1 }) },
  "in progress and expired": { stored: stored("INPROGRESS", { expiration: -1, lease: -1 }) },
  "in progress with a different payload": {
    config: VALIDATED, stored: stored("INPROGRESS", { lease: 20, validation: OTHER }),
  },
  "replay with the same payload": {
    config: VALIDATED, stored: stored("COMPLETED", { validation: SAME, data: RESULT }),
  },
  "replay with a different payload": {
    config: VALIDATED, stored: stored("COMPLETED", { validation: OTHER, data: RESULT }),
  },
  "replay of a record without its payload": { config: VALIDATED, stored: stored("COMPLETED", { data: RESULT }) },
  "a value that is no record": { stored: "True" },
  "ours, completed": { stored: ours("COMPLETED", DATA) },
  "ours, completed, with the same payload": {
    config: VALIDATED, stored: ours("COMPLETED", `,"validation":"${SAME}"${DATA}`),
  },
  "ours, completed, with a different payload": {
    config: VALIDATED, stored: ours("COMPLETED", `,"validation":"${OTHER}"${DATA}`),
  },
  "ours, in progress": { stored: ours("INPROGRESS") },
};

async function play(name, given, client) {
  await client.flushAll();
  const { event = EVENT, config = {} } = given;
  const result = "result" in given ? given.result : RESULT;
  if (given.stored !== undefined) await client.set(KEY, given.stored, { EX: 3000 });

  let runs = 0;
  const handler = async () => {
    runs += 1;
    if (result === FAILS) throw result;
    return result;
  };
  const commands = [];
  const noting = new Proxy(client, {
    get(target, command) {
      const method = target[command];
      if (typeof method !== "function") return method;
      return (...parts) => {
        commands.push([command, ...parts]);
        return method.apply(target, parts);
      };
    },
  });
  const idempotent = makeIdempotent(handler, {
    persistenceStore: new CachePersistenceLayer({ client: noting }),
    config: new IdempotencyConfig({ eventKeyJmesPath: "order_id", ...config }),
  });

  const outcome = {};
  try {
    const returned = await idempotent(event, CONTEXT);
    // A member that is not there is undefined.
    if (returned !== undefined) outcome.returned = returned;
    outcome.raised = null;
  } catch (error) {
    outcome.raised = error.name;
  }
  const left = {};
  for (const key of (await client.keys("*")).sort()) {
    left[key] = { value: await client.get(key), ttl: await client.ttl(key) };
  }
  return { name, event, config, stored: given.stored ?? null, runs, ...outcome, commands, left };
}

async function main() {
  const { PT_VERSION: version } = require("@aws-lambda-powertools/commons");
  if (version !== "2.35.0") throw new Error(version);
  console.warn = () => {};
  const client = await createClient({ url: process.argv[2] }).connect();
  const server = /redis_version:(\S+)/.exec(await client.info("server"))[1];
  const cases = [];
  for (const [name, given] of Object.entries(CASES)) cases.push(await play(name, given, client));
  const source = `Powertools for AWS Lambda (TypeScript) ${version}, idempotency on Redis ${server}`;
  const lines = cases.map((it) => `  ${JSON.stringify(it)}`).join(",\n");
  console.log(`{\n "source": "${source}",\n "now": ${NOW},\n "cases": [\n${lines}\n ]\n}`);
  await client.close();
}

main();
