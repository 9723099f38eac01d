#!/usr/bin/env python3
"""Measures everything that has a table in README.md beside this script, and writes the tables anew.

    measure.py            takes more than an hour, on a machine that does nothing else
    measure.py NAME...    only the benches whose command lines contain one of the names

A table of a bench replaces the one with the same heads of columns. Those that no bench prints, and the text, stay as
they are. At the end the pictures and the table of the first page are drawn from the new figures.
"""

import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import venv

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE / "README.md"
WORKSPACE = HERE.parent.parent

BENCHES = [
    "-p powertools --bench idempotency",
    "-p powertools --bench dynamodb --features dynamodb,dynamodb-lean -- --instructions",
    "-p powertools --bench throughput --features test-util",
    "-p powertools --bench batch --features test-util",
    "-p powertools --bench batch --features test-util -- --instructions",
    "-p powertools --bench sources --features avro,test-util",
    "-p powertools --bench http --features http",
    "-p powertools --bench http --features http -- --instructions",
    "-p powertools --bench parameters --features feature-flags,test-util",
    "-p powertools --bench metrics --features test-util",
    "-p powertools --bench logging --features test-util",
    "-p powertools-otel --bench spans",
    # Each variant is a build of its own: an hour for all of them.
    "-p coldstart",
]

# What the Python toolkit takes for the same as the bench `parameters`: CPU time of the thread.
PYTHON = "aws-lambda-powertools==3.37.0"
IN_PYTHON = '''
import json, os, sys, time, timeit

os.environ.update(AWS_DEFAULT_REGION="eu-central-1", AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret")
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.feature_flags import FeatureFlags, StoreProvider
from aws_lambda_powertools.utilities.parameters.base import DEFAULT_PROVIDERS

class Document(StoreProvider):
    def get_configuration(self):
        return DOCUMENT
    get_raw_configuration = property(get_configuration)

def median(count, run):
    times = timeit.repeat(run, timer=time.thread_time, repeat=15, number=count)
    return f"{sorted(times)[7] / count * 1e9:.0f}"

def cached():
    return parameters.get_parameter("/orders/limit", max_age=3600)

def evaluate(name):
    return FLAGS.evaluate(name=name, context=CUSTOMER, default=False)

DOCUMENT = json.loads(sys.argv[1])
CUSTOMER = {"id": 7, "tier": "premium", "country": "NO", "orders": 12, "is_staff": False}
FLAGS = FeatureFlags(Document())
provider = DEFAULT_PROVIDERS["ssm"] = parameters.SSMProvider()
provider._get = lambda name, **options: "25"
assert cached() == "25" and evaluate("checkout") and not evaluate("weekend")

print("| | ns in Python |")
print("|---|---:|")
print(f"| `get_parameter`, cached | {median(20_000, cached)} |")
print(f"| `evaluate`, the same document with three rules | {median(2_000, lambda: evaluate('checkout'))} |")
print(f"| `evaluate`, the same schedule | {median(2_000, lambda: evaluate('weekend'))} |")
'''


def tables(text):
    """Finds each table: its first line and the line after its last, and the heads of its columns."""
    lines = text.splitlines()
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and lines[end].startswith("|"):
            end += 1
        if end - start > 2:
            yield start, end, [head.strip() for head in lines[start].strip("|").split("|")]
        start = end + 1


def run(command):
    print(f"== {' '.join(command)}"[:100], flush=True)
    done = subprocess.run(command, cwd=WORKSPACE, stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout, flush=True)
    return done.stdout


def in_python():
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = f"{folder}/bin/python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", PYTHON, "boto3"], check=True)
        bench = (HERE / "parameters.rs").read_text()
        document = re.search(r'let document = r#"(.*?)"#;', bench, re.DOTALL)[1]
        return run([python, "-c", IN_PYTHON, document])


def replace(page, output):
    """Puts the tables of a bench into the page."""
    for start, end, heads in tables(output):
        new = output.splitlines()[start:end]
        found = next(((s, e) for s, e, at in tables(page) if at == heads), None)
        if found is None:
            print(f"no such table: {heads}")
            continue
        lines = page.splitlines()
        lines[found[0] : found[1]] = new
        page = "\n".join(lines) + "\n"
    return page


def machine():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    rust = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True)
    return f"{cpu[1] if cpu else platform.machine()}, {' '.join(rust.stdout.split()[:2])}"


def main():
    wanted = sys.argv[1:]
    for bench in BENCHES:
        if not wanted or any(name in bench for name in wanted):
            output = run(["cargo", "bench", *bench.split()])
            PAGE.write_text(replace(PAGE.read_text(), output))
    if not wanted or "python" in wanted:
        PAGE.write_text(replace(PAGE.read_text(), in_python()))
    page = re.sub(r"(?m)^Measured on: .*$", f"Measured on: {machine()}.", PAGE.read_text())
    PAGE.write_text(page)
    subprocess.run([sys.executable, HERE.parent / "docs" / "pictures" / "draw.py"], check=True)


if __name__ == "__main__":
    main()
