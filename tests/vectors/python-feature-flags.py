"""Writes python-feature-flags.json: what Powertools for AWS Lambda (Python) 3.37.0 makes of feature flags.

    pip install aws-lambda-powertools==3.37.0 python-dateutil==2.9.0.post0 jmespath
    python python-feature-flags.py > python-feature-flags.json

The time of a case is given to the toolkit's comparators. Everything else is as it was published.
"""

import json
import warnings
from datetime import datetime, timezone
from importlib.metadata import version

from aws_lambda_powertools.utilities.feature_flags import FeatureFlags, comparators
from aws_lambda_powertools.utilities.feature_flags.base import StoreProvider

assert version("aws-lambda-powertools") == "3.37.0"
warnings.simplefilter("ignore")

NOON = "2026-11-25T12:00:00"  # A Wednesday.
ABSENT = object()


class Text(str):
    """A document that is not what json.dumps writes."""


class Store(StoreProvider):
    def __init__(self, text):
        self.text = text

    def get_configuration(self):
        return json.loads(self.text)

    get_raw_configuration = property(get_configuration)


def condition(action, key, value):
    return {"action": action, "key": key, "value": value}


def boolean(*conditions, default=False):
    return {"default": default, "rules": {"rule": {"when_match": not default, "conditions": list(conditions)}}}


def one(action, value, key="k"):
    return boolean(condition(action, key, value))


def schedule(kind, **value):
    key = {"TIME_RANGE": "TIME", "DATETIME_RANGE": "DATETIME", "DAYS_OF_WEEK": "DAY_OF_WEEK"}[kind]
    return one(f"SCHEDULE_BETWEEN_{kind}", value, f"CURRENT_{key}")


def keys(*values):
    return [{"k": value} for value in values]


NOTHING = [{}]
MIXED = keys(None, True, False, 0, 1, 1.0, 1.5, -1, "", "a", "ab", "b", [], ["a"], ["a", "b"], {}, {"a": 1}) + NOTHING

# Name: (document, [(contexts, times)]).
CASES = {
    "equality": (
        {
            "string": one("EQUALS", "a"),
            "number": one("EQUALS", 1),
            "fraction": one("EQUALS", 1.5),
            "true": one("EQUALS", True),
            "list": one("EQUALS", ["a", "b"]),
            "object": one("EQUALS", {"a": 1}),
            "not a string": one("NOT_EQUALS", "a"),
        },
        MIXED,
    ),
    "large numbers": (
        {"integer": one("EQUALS", 9007199254740993), "less": one("KEY_LESS_THAN_VALUE", 9007199254740993)},
        keys(9007199254740992, 9007199254740993, 9007199254740992.0, 1e300),
    ),
    "order": (
        {
            "greater": one("KEY_GREATER_THAN_VALUE", 1),
            "at least": one("KEY_GREATER_THAN_OR_EQUAL_VALUE", 1),
            "less": one("KEY_LESS_THAN_VALUE", 1),
            "at most": one("KEY_LESS_THAN_OR_EQUAL_VALUE", 1),
        },
        keys(0, 1, 1.0, 1.5, True, "1", None) + NOTHING,
    ),
    "order of strings and lists": (
        {
            "string": one("KEY_GREATER_THAN_VALUE", "ab"),
            "list": one("KEY_LESS_THAN_VALUE", ["a", 2]),
            "object": one("KEY_LESS_THAN_VALUE", {"a": 1}),
        },
        keys("a", "ab", "b", "ä", "\U0001F600", ["a", 1], ["a", 2, 0], ["a"], ["a", "2"], {"a": 0}),
    ),
    "starts and ends": (
        {
            "starts": one("STARTSWITH", "a"),
            "ends": one("ENDSWITH", "b"),
            "starts with nothing": one("STARTSWITH", ""),
            "starts with a number": one("STARTSWITH", 1),
        },
        keys("a", "ab", "b", "", 1, ["a"], None) + NOTHING,
    ),
    "in a list": (
        {
            "in": one("IN", ["a", 1, ["b"]]),
            "key in": one("KEY_IN_VALUE", ["a", 1, ["b"]]),
            "not in": one("NOT_IN", ["a", 1, ["b"]]),
            "key not in": one("KEY_NOT_IN_VALUE", ["a", 1, ["b"]]),
        },
        keys("a", 1, True, ["b"], "b", None) + NOTHING,
    ),
    "in something else": (
        {
            "string": one("IN", "xab"),
            "object": one("IN", {"a": 1}),
            "number": one("IN", 1),
            "not in a string": one("NOT_IN", "xab"),
            "not in an object": one("NOT_IN", {"a": 1}),
            "not in a number": one("NOT_IN", 1),
        },
        keys("ab", "a", "", 1, None, ["a"]),
    ),
    "value in key": (
        {
            "in": one("VALUE_IN_KEY", "a"),
            "not in": one("VALUE_NOT_IN_KEY", "a"),
            "number in": one("VALUE_IN_KEY", 1),
            "list in": one("VALUE_IN_KEY", ["a"]),
        },
        keys(["a"], [1], [True], [["a"]], "xay", "", {"a": 1}, {"b": 1}, 1, None) + NOTHING,
    ),
    "lists": (
        {
            "all": one("ALL_IN_VALUE", ["a", "b", 1]),
            "any": one("ANY_IN_VALUE", ["a", "b", 1]),
            "none": one("NONE_IN_VALUE", ["a", "b", 1]),
        },
        keys(["a", "b"], ["a", "c"], ["c"], [], [True], "a", None) + NOTHING,
    ),
    "modulo": (
        {
            "some": one("MODULO_RANGE", {"BASE": 100, "START": 10, "END": 29}),
            "one": one("MODULO_RANGE", {"BASE": 1, "START": 0, "END": 0}),
        },
        keys(9, 10, 29, 30, 110, -71, -1, 29.5, 10.0, -70.5, True, "10", None, 10**20 + 10) + NOTHING,
    ),
    "several rules": (
        {
            "z first": {
                "default": 0,
                "boolean_type": False,
                "rules": {
                    "z": {"when_match": 1, "conditions": [condition("EQUALS", "k", "a")]},
                    "a": {"when_match": 2, "conditions": [condition("STARTSWITH", "k", "a")]},
                    "m": {
                        "when_match": 3,
                        "conditions": [condition("EQUALS", "k", "b"), condition("EQUALS", "l", "c")],
                    },
                },
            }
        },
        [{"k": "a"}, {"k": "ab"}, {"k": "b"}, {"k": "b", "l": "c"}, {"l": "c"}, {}],
    ),
    "values": (
        {
            "object": {
                "default": {"percent": 0},
                "boolean_type": False,
                "rules": {
                    "r": {"when_match": {"percent": 20, "of": [1, None]}, "conditions": [condition("EQUALS", "k", 1)]}
                },
            },
            "null": {
                "default": "x",
                "boolean_type": False,
                "rules": {"r": {"when_match": None, "conditions": [condition("EQUALS", "k", 1)]}},
            },
            "no when_match": {
                "default": "x",
                "boolean_type": False,
                "rules": {"r": {"conditions": [condition("EQUALS", "k", 1)]}},
            },
            "empty": {"default": [], "boolean_type": False},
            "zero": {"default": 0, "boolean_type": False},
            "on": {"default": True},
            "off unless": boolean(condition("EQUALS", "k", 1), default=True),
            "no rules": {"default": True, "rules": {}},
            "members without meaning": {"default": True, "description": "d", "boolean_type": True},
        },
        keys(1, 2) + NOTHING,
    ),
    "keys": (
        {
            "with a dot": one("EQUALS", 1, key="a.b"),
            "with a slash": one("EQUALS", 1, key="a/b"),
            "empty context": one("EQUALS", 1, key="CURRENT_TIME"),
        },
        [{"a": {"b": 1}}, {"a.b": 1}, {"a/b": 1}, {"CURRENT_TIME": 1}],
    ),
    "time of the day": (
        {
            "day": schedule("TIME_RANGE", START="09:00", END="17:00"),
            "night": schedule("TIME_RANGE", START="22:00", END="06:00", TIMEZONE="Europe/Berlin"),
            "minute": schedule("TIME_RANGE", START="12:00", END="12:00"),
            "within an hour, past midnight": schedule("TIME_RANGE", START="23:30", END="23:00"),
        },
        NOTHING,
        ["2026-11-25T08:59:59.999", "2026-11-25T09:00:00", "2026-11-25T17:00:59", "2026-11-25T17:01:00",
         "2026-11-25T12:00:30", "2026-11-25T21:00:00", "2026-11-25T05:00:30", "2026-11-25T05:01:00",
         "2026-11-25T23:15:00", "2026-07-01T20:00:00"],
    ),
    "time of the day when the clock changes": (
        {"night": schedule("TIME_RANGE", START="02:10", END="02:50", TIMEZONE="Europe/Berlin")},
        NOTHING,
        ["2026-10-25T00:15:00", "2026-10-25T00:55:00", "2026-10-25T01:15:00", "2026-03-29T00:30:00",
         "2026-03-29T01:15:00"],
    ),
    "dates": (
        {
            "in UTC": schedule("DATETIME_RANGE", START="2026-11-01T00:00:00", END="2026-11-30T12:00:00"),
            "elsewhere": schedule(
                "DATETIME_RANGE", START="2026-11-25T20:45:00", END="2026-11-26T06:00:00", TIMEZONE="Asia/Kathmandu"
            ),
            "a day": schedule("DATETIME_RANGE", START="2026-11-25", END="2026-11-26"),
            "for ever": schedule("DATETIME_RANGE", START="0001-01-01", END="9999-12-31T23:59:59", TIMEZONE="Asia/Tokyo"),
            "backwards": schedule("DATETIME_RANGE", START="2026-11-26T00:00:00", END="2026-11-24T00:00:00"),
        },
        NOTHING,
        ["2026-10-31T23:59:59", "2026-11-01T00:00:00", "2026-11-30T12:00:00", "2026-11-30T12:00:01",
         "2026-11-25T14:59:59", "2026-11-25T15:00:00", "2026-11-26T00:15:01"],
    ),
    "dates when the clock changes": (
        {
            "in the hour that comes twice": schedule(
                "DATETIME_RANGE", START="2026-10-25T02:10:00", END="2026-10-25T02:50:00", TIMEZONE="Europe/Berlin"
            ),
            "to the hour that comes twice": schedule(
                "DATETIME_RANGE", START="2026-10-25T01:00:00", END="2026-10-25T02:30:00", TIMEZONE="Europe/Berlin"
            ),
            "in the hour that is left out": schedule(
                "DATETIME_RANGE", START="2026-03-29T02:10:00", END="2026-03-29T02:50:00", TIMEZONE="Europe/Berlin"
            ),
            "around the hour that is left out": schedule(
                "DATETIME_RANGE", START="2026-03-29T01:00:00", END="2026-03-29T04:00:00", TIMEZONE="Europe/Berlin"
            ),
        },
        NOTHING,
        ["2026-10-25T00:30:00", "2026-10-25T00:55:00", "2026-10-25T01:15:00", "2026-10-25T01:55:00",
         "2026-03-29T00:30:00", "2026-03-29T01:30:00", "2026-03-29T02:30:00"],
    ),
    "days": (
        {
            "weekend": schedule("DAYS_OF_WEEK", DAYS=["SATURDAY", "SUNDAY"]),
            "in Auckland": schedule("DAYS_OF_WEEK", DAYS=["SATURDAY"], TIMEZONE="Pacific/Auckland"),
            "never": schedule("DAYS_OF_WEEK", DAYS=[]),
        },
        NOTHING,
        ["2026-11-27T10:59:59", "2026-11-27T11:00:00", "2026-11-28T10:59:59", "2026-11-28T11:00:00",
         "2026-11-29T23:59:59", "2026-11-30T00:00:00"],
    ),
    "with rules and a schedule": (
        {
            "both": boolean(
                condition("EQUALS", "k", 1),
                condition("SCHEDULE_BETWEEN_TIME_RANGE", "CURRENT_TIME", {"START": "09:00", "END": "17:00"}),
            )
        },
        keys(1, 2) + NOTHING,
        [NOON, "2026-11-25T18:00:00"],
    ),
    "east of UTC": (
        {"zone": schedule("TIME_RANGE", START="09:00", END="09:30", TIMEZONE="UTC+3")},
        NOTHING,
        ["2026-11-25T06:15:00"],
    ),
    "an appconfig flag": ({"f": {"enabled": True, "color": "green"}}, NOTHING),
    "both formats": ({"f": {"default": False, "enabled": True}}, NOTHING),
}

# What one bad feature does to the document.
GOOD = {"default": True}
BAD = {
    "an unknown action": one("EQUAL", 1),
    "no conditions": {"default": False, "rules": {"r": {"when_match": True}}},
    "empty conditions": {"default": False, "rules": {"r": {"when_match": True, "conditions": []}}},
    "conditions in an object": {"default": False, "rules": {"r": {"when_match": True, "conditions": {"a": 1}}}},
    "no key": {"default": False, "rules": {"r": {"when_match": True, "conditions": [{"action": "EQUALS", "value": 1}]}}},
    "an empty key": one("EQUALS", 1, key=""),
    "no value": {"default": False, "rules": {"r": {"when_match": True, "conditions": [{"action": "EQUALS", "key": "k"}]}}},
    "no default": {"rules": {}},
    "a null default": {"default": None, "boolean_type": False},
    "a string default": {"default": "on"},
    "a string when_match": {"default": False, "rules": {"r": {"when_match": "on", "conditions": [condition("EQUALS", "k", 1)]}}},
    "a rule without a name": {"default": False, "rules": {"": {"when_match": True, "conditions": [condition("EQUALS", "k", 1)]}}},
    "an empty rule": {"default": False, "rules": {"r": {}}},
    "rules in a list": {"default": False, "rules": [1]},
    "an empty feature": {},
    "a feature in a list": [1],
    "no such time zone": schedule("TIME_RANGE", START="09:00", END="17:00", TIMEZONE="Europe/Bielefeld"),
    "a time zone in lower case": schedule("TIME_RANGE", START="09:00", END="17:00", TIMEZONE="europe/berlin"),
    "a time zone that is a number": schedule("TIME_RANGE", START="09:00", END="17:00", TIMEZONE=1),
    "a time of the day with seconds": schedule("TIME_RANGE", START="09:00:00", END="17:00"),
    "an hour of one digit": schedule("TIME_RANGE", START="9:00", END="17:00"),
    "the 24th hour": schedule("TIME_RANGE", START="00:00", END="24:00"),
    "another key of a schedule": one("SCHEDULE_BETWEEN_TIME_RANGE", {"START": "09:00", "END": "17:00"}, key="NOW"),
    "a date with an offset": schedule("DATETIME_RANGE", START="2026-11-01T00:00:00+01:00", END="2026-11-30T12:00:00"),
    "a date in UTC": schedule("DATETIME_RANGE", START="2026-11-01T00:00:00Z", END="2026-11-30T12:00:00Z"),
    "no date": schedule("DATETIME_RANGE", START="tomorrow", END="2026-11-30T12:00:00"),
    "a day in lower case": schedule("DAYS_OF_WEEK", DAYS=["monday"]),
    "days in a string": schedule("DAYS_OF_WEEK", DAYS="MONDAY"),
    "an end beyond the base": one("MODULO_RANGE", {"BASE": 100, "START": 0, "END": 100}),
    "a fraction as base": one("MODULO_RANGE", {"BASE": 100.0, "START": 0, "END": 10}),
    "no start": one("MODULO_RANGE", {"BASE": 100, "END": 10}),
    "a string for a list": one("ANY_IN_VALUE", "a"),
    # Accepted by Python.
    "boolean_type as a string": {"default": True, "boolean_type": "false"},
    "rules that are false": {"default": True, "rules": False},
    "rules in an empty list": {"default": True, "rules": []},
    "null rules": {"default": True, "rules": None},
    "a boolean as base": one("MODULO_RANGE", {"BASE": True, "START": False, "END": False}),
    "DAYS as a day": schedule("DAYS_OF_WEEK", DAYS=["DAYS", "WEDNESDAY"]),
    "a week date": schedule("DATETIME_RANGE", START="2026-W40-1", END="2026-W52-1"),
    "an integer beyond 128 bits": one("EQUALS", 2**127),
}
CASES |= {f"bad: {name}": ({"bad": feature, "good": GOOD}, [{"k": 1}]) for name, feature in BAD.items()}
CASES["bad: infinity"] = (
    Text('{"bad": {"default": true, "rules": {"r": {"when_match": false, "conditions": '
         '[{"action": "EQUALS", "key": "k", "value": 1e400}]}}}, "good": {"default": true}}'),
    [{"k": 1}],
)
CASES["bad: half a surrogate pair"] = (Text('{"bad": {"default": true, "note": "\\ud800"}}'), NOTHING)
CASES["a list"] = (Text("[]"), NOTHING)
CASES["nothing"] = (Text("{}"), NOTHING)


def at(now):
    class Now(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromtimestamp(seconds(now), tz)

    comparators.datetime = Now


def seconds(now):
    return datetime.fromisoformat(now).replace(tzinfo=timezone.utc).timestamp()


def outcome(work):
    try:
        value = work()
    except Exception as error:
        return {"raised": type(error).__name__}
    return {"absent": True} if value is ABSENT else {"value": value}


def cases(name, text, contexts, times):
    document = json.loads(text)
    features = [*document, "unknown"] if isinstance(document, dict) else ["unknown"]
    for now in times:
        at(now)
        for context in contexts:
            flags = FeatureFlags(Store(text))
            yield {
                "document": name,
                "now": seconds(now),
                "context": context,
                "features": {
                    feature: outcome(lambda: flags.evaluate(name=feature, context=context, default=ABSENT))
                    for feature in features
                },
                "enabled": outcome(lambda: flags.get_enabled_features(context=context)),
            }


documents = {}
recorded = []
for name, (document, contexts, *times) in CASES.items():
    text = document if isinstance(document, Text) else json.dumps(document, ensure_ascii=False)
    documents[name] = text
    recorded += cases(name, text, contexts, times[0] if times else [NOON])
lines = ",\n".join("  " + json.dumps(case, ensure_ascii=False) for case in recorded)
head = {"source": "Powertools for AWS Lambda (Python) 3.37.0", "documents": documents}
head = json.dumps(head, indent=1, ensure_ascii=False)
print(f'{head[:-2]},\n "cases": [\n{lines}\n ]\n}}')
