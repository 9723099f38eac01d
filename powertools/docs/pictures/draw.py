#!/usr/bin/env python3
"""Draws the pictures of the documentation, and writes the table of figures on its first page.

    draw.py            writes the pictures beside this script, and the table
    draw.py --check    fails if they differ from what it would write

`performance.svg` and the table take their figures from the tables of `powertools/benches/README.md`, which
hold the output of the benches. `event-flow.svg` has no figures. `trace.svg` shows the spans in `trace.json`, which the
test `otel::services` writes.
"""

import html
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
BENCHES = HERE.parent.parent / "benches" / "README.md"
README = HERE.parent.parent.parent / "README.md"

STYLE = """
  .card { fill: #ffffff; stroke: #d0d7de; }
  .text { fill: #1f2328; }
  .quiet { fill: #59636e; }
  .ours { fill: #b7410e; }
  .other { fill: #8c959f; }
  .box { fill: #f6f8fa; stroke: #8c959f; }
  .mine { fill: #fff1e5; stroke: #b7410e; }
  .line { stroke: #59636e; fill: none; }
  .head { fill: #59636e; }
  @media (prefers-color-scheme: dark) {
    .card { fill: #0d1117; stroke: #3d444d; }
    .text { fill: #f0f6fc; }
    .quiet { fill: #9198a1; }
    .ours { fill: #f0883e; }
    .other { fill: #6e7681; }
    .box { fill: #151b23; stroke: #6e7681; }
    .mine { fill: #2d1b0e; stroke: #f0883e; }
    .line { stroke: #9198a1; }
    .head { fill: #9198a1; }
  }
"""
FONT = "-apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', Helvetica, Arial, sans-serif"


class Picture:
    """An SVG under construction."""

    def __init__(self, width, height, title):
        self.width, self.height, self.title = width, height, title
        self.parts = []

    def text(self, x, y, content, size=13, kind="text", weight="normal", anchor="start"):
        self.parts.append(
            f'<text x="{x}" y="{y}" class="{kind}" font-size="{size}" font-weight="{weight}" '
            f'text-anchor="{anchor}">{html.escape(content)}</text>'
        )

    def rect(self, x, y, width, height, kind, radius=2):
        self.parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}" class="{kind}"/>'
        )

    def arrow(self, x1, y1, x2, y2):
        """A horizontal or vertical arrow."""
        self.parts.append(
            f'<path d="M{x1} {y1} L{x2} {y2}" class="line" stroke-width="1.5" marker-end="url(#head)"/>'
        )

    def svg(self):
        title = html.escape(self.title)
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" height="{self.height}" font-family="{FONT}" role="img">',
            f"<title>{title}</title>",
            f"<style>{STYLE}</style>",
            '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
            'markerHeight="8" orient="auto"><path d="M0 0 L8 4 L0 8 z" class="head"/></marker></defs>',
            f'<rect x="0.5" y="0.5" width="{self.width - 1}" height="{self.height - 1}" rx="6" class="card"/>',
            *self.parts,
            "</svg>",
            "",
        ])


def cell(heading, row, column, nth=0):
    """A figure of the benches' page: below a heading, the nth row of this name, in the column of this name."""
    lines = iter(BENCHES.read_text().splitlines())
    next(line for line in lines if line.startswith("#") and line.lstrip("#") == f" {heading}")
    index = None
    for line in lines:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if column in cells:
            index = cells.index(column)
        elif index is not None and cells[0] == row:
            if nth == 0:
                # A ratio can have its quartiles behind it.
                return float(cells[index].split()[0].replace(",", ""))
            nth -= 1
    raise LookupError(f"{heading}: {row}: {column}")


def panels():
    """What is compared: a title, a unit, and the name, the figure and the owner of each bar."""
    logs, engine = "Logs", "The engine, on the store in memory"
    batches, start = "Batches", "The cold start"
    first = "first, ms"
    return [
        ("Log line with two fields", "ns", [
            ("powertools", cell(logs, "two fields", "ns"), True),
            ("json-subscriber", cell(logs, "two fields", "its ns", 0), False),
            ("tracing-subscriber, JSON", cell(logs, "two fields", "its ns", 1), False),
        ]),
        ("SQS record with a JSON body, event to reply", "ns", [
            ("powertools", cell(batches, "event to reply", "ns"), True),
            ("aws_lambda_events and a loop", cell(batches, "event to reply", "floor"), False),
        ]),
        ("First invocation with two DynamoDB calls over TLS", "ms", [
            ("powertools, warm-up", cell(start, "ours, ring, warm-up", first), True),
            ("powertools", cell(start, "ours, ring", first), True),
            ("by hand, ring", cell(start, "by hand, ring", first), False),
            ("by hand, SDK defaults", cell(start, "by hand, SDK defaults", first), False),
        ]),
        ("Idempotent call, store in memory", "ns", [
            ("powertools, new work", cell(engine, "first call", "ns"), True),
            ("by hand, new work", cell(engine, "first call", "floor"), False),
            ("powertools, replay", cell(engine, "replay", "ns"), True),
            ("by hand, replay", cell(engine, "replay", "floor"), False),
        ]),
    ]


def figures():
    """The table of the first page: what was measured, the figure, what it is compared with, and the ratio."""
    engine, sdk, http = "The engine, on the store in memory", "Beyond the SDK", "HTTP"
    start, values = "The cold start", "Values from outside and feature flags"
    table = []

    def row(what, figure, unit, other, ratio, decimals=1):
        shown = f"{ratio:.3f} ×" if ratio < 0.03 else f"{ratio:.2f} ×"
        table.append(f"| {what} | {figure:,.{decimals}f}{unit} | {other} | {shown} |")

    def ours(what, unit, scale, other, heading, name, column, its_name, its_column, decimals=1):
        figure, its = cell(heading, name, column), cell(heading, its_name, its_column)
        row(what, figure / scale, unit, other, figure / its, decimals)

    hand, defaults, first = "the same by hand", "the SDK's defaults by hand", "first, ms"
    for what, name in [("new work, on the store in memory", "first call"), ("a replay", "replay")]:
        ours(what, " µs", 1000, hand, engine, name, "ns", name, "floor")
    calls = "two SDK calls, limits for each (target: at most 5 %)"
    for what, name in [
        ("new work against DynamoDB, instructions", "engine and store"),
        ("the same with the lean client, instructions", "engine and store, lean client"),
    ]:
        other = "the two SDK calls with the same limits"
        ours(what, "", 1, other, sdk, name, "instructions", calls, "instructions", 0)
    loop = "`aws_lambda_events` and a loop"
    batch = "event to reply"
    ours("an SQS record with a JSON body, from event to reply", " µs", 1000, loop, "Batches", batch, "ns", batch, "floor")
    request = "an HTTP request to a router of axum, with logs, metrics and time guard, instructions"
    router, name = "`lambda_http::run` with the router alone", "HTTP API, nothing logged"
    ours(request, "", 1, router, http, name, "ours", name, "lambda_http", 0)
    line, its = cell("Logs", "two fields", "ns"), cell("Logs", "two fields", "its ns", 1)
    row("a log line with two fields", line / 1000, " µs", "`tracing-subscriber`'s JSON", line / its, 2)
    for what, name in [
        ("the first invocation of a function with two DynamoDB calls, over TLS", "ours, ring"),
        ("the same after a warm-up", "ours, ring, warm-up"),
        ("the same with the lean client, without a warm-up", "ours, lean"),
    ]:
        ours(what, " ms", 1, defaults, start, name, first, "by hand, SDK defaults", first)
    for what, unit, scale, name, other, its_name, decimals in [
        ("a read of a cached parameter", " ns", 1, "cached value", "`get_parameter`", "`get_parameter`, cached", 0),
        ("a feature flag with three rules", " µs", 1000, "flag by the third of three rules", "`evaluate`",
         "`evaluate`, the same document with three rules", 2),
    ]:
        figure, its = cell(values, name, "ns"), cell(values, its_name, "ns in Python")
        row(what, figure / scale, unit, f"{other} of the Python toolkit", figure / its, decimals)
    return "\n".join(["| | | compared with | |", "|---|---:|---|---:|", *table])


def with_figures(page):
    """The first page with the table of figures as it has to be."""
    before, after = page.split("| | | compared with | |\n")
    return before + figures() + "\n\n" + after.split("\n\n", 1)[1]


def performance():
    bar, gap, left, widest, width = 18, 7, 228, 390, 760
    data = panels()
    height = 52 + sum(44 + len(bars) * (bar + gap) for _, _, bars in data) + 6
    picture = Picture(width, height, "Time of powertools and of the alternatives; less is better")
    picture.text(20, 32, "Time, less is better", 16, weight="600")
    picture.text(width - 20, 32, "one machine, see powertools/benches/README.md", 12, "quiet", anchor="end")
    y = 52
    for title, unit, bars in data:
        y += 24
        picture.text(20, y, title, 13, weight="600")
        y += 12
        most = max(figure for _, figure, _ in bars)
        for name, figure, ours in bars:
            picture.text(left - 12, y + 13, name, 12, "text" if ours else "quiet", anchor="end")
            length = max(2, round(widest * figure / most, 1))
            picture.rect(left, y, length, bar, "ours" if ours else "other")
            shown = f"{figure:,.0f} {unit}" if unit == "ns" else f"{figure:,.1f} {unit}"
            picture.text(left + length + 8, y + 13, shown, 12, "text" if ours else "quiet")
            y += bar + gap
        y += 8
    return picture.svg()


def event_flow():
    width, height = 760, 540
    picture = Picture(width, height, "How an event flows through the layers of Powertools")
    picture.text(20, 32, "How an event flows", 16, weight="600")
    # From the outside in: its name, and what it does on the way in and on the way out.
    layers = [
        ("lambda_runtime", "polls for events, one loop for each worker", "sends the reply or the error", "box"),
        ("Invocation", "opens the scope, begins the lifecycle", "ends the lifecycle, flushes", "mine"),
        ("Errors", "parses the event", "gives every error and panic a fixed name", "mine"),
        ("Idempotency", "claims the key, or replays the result", "completes or releases the claim", "mine"),
        ("Deadline", "starts the timer", "stops the work before the timeout", "mine"),
    ]
    inset, enter_height, leave_height = 18, 50, 28
    x, y, right, bottom = 138, 52, 596, height - 20
    edges = []
    for name, enter, leave, kind in layers:
        edges.append((x, y, right, bottom))
        picture.rect(x, y, right - x, bottom - y, kind, 6)
        picture.text(x + 14, y + 22, name, 14, weight="600")
        picture.text(x + 14, y + 40, f"in: {enter}", 12, "quiet")
        picture.text(x + 14, bottom - 11, f"out: {leave}", 12, "quiet")
        x, y, right, bottom = x + inset, y + enter_height, right - inset, bottom - leave_height
    picture.rect(x, y, right - x, bottom - y, "box", 6)
    picture.text(x + 14, y + 22, "your handler", 14, weight="600")
    picture.text(x + 14, y + 41, "batch: a scope for each record", 12, "quiet")
    picture.text(x + 14, y + 57, "Invocation::current() everywhere", 12, "quiet")

    runtime, invocation, idempotency = edges[0], edges[1], edges[3]
    picture.rect(20, runtime[1], 64, runtime[3] - runtime[1], "box", 6)
    picture.text(52, (runtime[1] + runtime[3]) / 2 + 5, "Lambda", 13, weight="600", anchor="middle")
    picture.text(111, runtime[1] + 18, "event", 12, "quiet", anchor="middle")
    picture.arrow(86, runtime[1] + 26, 135, runtime[1] + 26)
    picture.text(111, runtime[3] - 24, "reply", 12, "quiet", anchor="middle")
    picture.arrow(136, runtime[3] - 16, 87, runtime[3] - 16)

    def outside(y, name, detail):
        picture.rect(630, y, 110, 52, "box", 6)
        picture.text(685, y + 22, name, 13, weight="600", anchor="middle")
        picture.text(685, y + 40, detail, 12, "quiet", anchor="middle")

    outside(invocation[1] + 4, "stdout", "log lines")
    picture.arrow(invocation[2] + 1, invocation[1] + 30, 627, invocation[1] + 30)
    outside(idempotency[1] + 4, "DynamoDB", "records")
    picture.arrow(idempotency[2] + 1, idempotency[1] + 24, 627, idempotency[1] + 24)
    picture.arrow(629, idempotency[1] + 36, idempotency[2] + 3, idempotency[1] + 36)
    return picture.svg()


def trace():
    spans = json.loads((HERE / "trace.json").read_text())
    parents = {span["id"]: span["parent"] for span in spans}
    of = {span["id"]: span["service"] for span in spans}

    def depth(span):
        parent, depth = span["parent"], 0
        while of.get(parent) == span["service"]:
            parent, depth = parents[parent], depth + 1
        return depth

    services = list(dict.fromkeys(span["service"] for span in spans))
    bar, row, left, widest, width = 12, 19, 230, 400, 760
    height = 60 + len(services) * 30 + len(spans) * row + 10
    most = max(span["end"] for span in spans)
    picture = Picture(width, height, "The spans of one request in five services")
    picture.text(20, 32, "One request through five services", 16, weight="600")
    picture.text(width - 20, 32, "milliseconds from the first span", 12, "quiet", anchor="end")
    y = 48
    for service in services:
        y += 20
        picture.text(20, y, service, 13, weight="600")
        y += 10
        for span in (span for span in spans if span["service"] == service):
            nested = depth(span)
            kind = "other" if nested else "ours"
            picture.text(32 + 12 * nested, y + 10, span["name"], 12, "quiet" if nested else "text")
            start, end = (round(widest * span[side] / most, 1) for side in ("start", "end"))
            picture.rect(left + start, y, round(max(1.5, end - start), 1), bar, kind)
            took = f'{span["start"] / 1000:.0f} + {(span["end"] - span["start"]) / 1000:.1f}'
            picture.text(width - 20, y + 10, took, 11, "quiet", anchor="end")
            y += row
    return picture.svg()


def main():
    pictures = {"performance.svg": performance(), "event-flow.svg": event_flow(), "trace.svg": trace()}
    files = {HERE / name: svg for name, svg in pictures.items()}
    files[README] = with_figures(README.read_text())
    if sys.argv[1:] == ["--check"]:
        stale = [path.name for path, content in files.items() if path.read_text() != content]
        if stale:
            sys.exit(f"out of date, run powertools/docs/pictures/draw.py: {', '.join(stale)}")
        return
    for path, content in files.items():
        path.write_text(content)


if __name__ == "__main__":
    main()
