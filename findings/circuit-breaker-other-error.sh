#!/usr/bin/env bash
# One would guess that a circuit breaker which is told to leave an error out of account, such as a request that its
# own client refuses to send, leaves its count of failures alone when that error comes.
# In pybreaker (exclude) and in circuitbreaker (expected_exception) the error counts as a success and sets the count
# to zero. With a limit of three and such an error after every second timeout, the circuit stays closed through any
# number of timeouts. cockatiel for Node.js, whose breaker counts in the same way, opens at the third.
# Seen on 2026-11-30 with pybreaker 1.4.1 and circuitbreaker 2.1.3 on Python 3.11, cockatiel 3.2.1 on Node.js 20.
# For a function in front of a service that is down: the more bad input there is, the longer it waits for timeouts.
# Keep what can fail before the call (building the request, checking it) outside the breaker.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pybreaker==1.4.1 circuitbreaker==2.1.3
npm install --silent --no-audit --no-fund --prefix "$dir" cockatiel@3.2.1

cat > "$dir/probe.py" <<'PY'
import circuitbreaker
import pybreaker


class BadRequest(Exception):
    pass


def states(call, state):
    for error in [TimeoutError, TimeoutError, BadRequest, TimeoutError, TimeoutError, BadRequest, TimeoutError]:
        try:
            call(fail, error)
        except Exception:
            yield state()


def fail(error):
    raise error


one = pybreaker.CircuitBreaker(fail_max=3, exclude=[BadRequest])
print("pybreaker", *states(one.call, lambda: one.current_state))
two = circuitbreaker.CircuitBreaker(failure_threshold=3, expected_exception=TimeoutError)
print("circuitbreaker", *states(two.call, lambda: two.state))
PY
cat > "$dir/probe.js" <<'JS'
const { CircuitState, ConsecutiveBreaker, circuitBreaker, handleType } = require('cockatiel');

class Timeout extends Error {}
class BadRequest extends Error {}

const breaker = circuitBreaker(handleType(Timeout), {
  halfOpenAfter: 3_600_000, breaker: new ConsecutiveBreaker(3),
});
(async () => {
  const states = [];
  for (const Fault of [Timeout, Timeout, BadRequest, Timeout, Timeout, BadRequest, Timeout]) {
    await breaker.execute(() => { throw new Fault(); }).catch(() => {});
    states.push(CircuitState[breaker.state].toLowerCase());
  }
  console.log('cockatiel', ...states);
})();
JS
cat > "$dir/expected" <<'OUT'
pybreaker closed closed closed closed closed closed closed
circuitbreaker closed closed closed closed closed closed closed
cockatiel closed closed closed open open open open
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
node "$dir/probe.js" >> "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: one of the breakers counts such errors differently now"; exit 1; }
echo "as recorded"
