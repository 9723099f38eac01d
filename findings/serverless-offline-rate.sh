#!/usr/bin/env bash
# One would guess that serverless-offline runs a function of rate(45 minutes) every 45 minutes, or says that it
# cannot: a rate is an interval, and EventBridge keeps it whatever the clock shows.
# It turns the rate into a cron expression, */45 in the field of the minutes, which starts again at each full
# hour: the function runs at :45 and :00, that is after 15 minutes and 45 by turns. rate(90 minutes) becomes one
# run an hour, rate(36 hours) one a day, and rate(2 days) runs on the 31st and again on the 1st. No warning.
# Seen on 2026-11-30 with serverless-offline 14.8.2 on Node.js 20. Its class for schedules runs below under
# Node.js's mocked timers, at UTC.
# For a job that is tried out locally: it runs more often than it will, so an overlap, a lock or the age of what
# it reads is tested at another interval. A rate that divides the hour or the day (5 minutes, 6 hours) is right.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --legacy-peer-deps --ignore-scripts --prefix "$dir" serverless-offline@14.8.2

cat > "$dir/probe.mjs" <<'JS'
import { mock } from 'node:test';

const start = Date.parse('2027-01-29T08:01:00Z');
mock.timers.enable({ apis: ['Date', 'setTimeout'], now: start });
const { default: Schedule } = await import('./node_modules/serverless-offline/src/events/schedule/Schedule.js');
const { default: timetable } = await import('node-schedule');

for (const [rate, step] of [
  ['rate(5 minutes)', 60_000], ['rate(45 minutes)', 60_000], ['rate(90 minutes)', 60_000],
  ['rate(36 hours)', 3_600_000], ['rate(2 days)', 3_600_000],
]) {
  mock.timers.setTime(start - 60_000);
  const runs = [];
  const lambda = { setEvent() {}, async runHandler() { runs.push(new Date()); } };
  new Schedule({ get: () => lambda }, 'eu-west-1').create([
    { functionKey: 'job', schedule: { rate: [rate], enabled: true } },
  ]);
  while (runs.length < 4) mock.timers.tick(step);
  const days = step > 60_000;
  console.log(rate, runs.map((run) => run.toISOString().slice(days ? 5 : 11, days ? 10 : 16)).join(' '));
  Object.values(timetable.scheduledJobs).forEach((job) => job.cancel());
}
process.exit(0);
JS
cat > "$dir/expected" <<'OUT'
rate(5 minutes) 08:05 08:10 08:15 08:20
rate(45 minutes) 08:45 09:00 09:45 10:00
rate(90 minutes) 09:00 10:00 11:00 12:00
rate(36 hours) 01-30 01-31 02-01 02-02
rate(2 days) 01-31 02-01 02-03 02-05
OUT
TZ=UTC node --no-warnings "$dir/probe.mjs" 2> "$dir/log" | grep '^rate' > "$dir/seen" || { cat "$dir/log"; exit 1; }
diff "$dir/expected" "$dir/seen" || { echo "changed: serverless-offline runs rates at other times now"; exit 1; }
echo "as recorded"
