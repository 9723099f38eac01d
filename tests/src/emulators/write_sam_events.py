"""Writes the events that SAM's command line tool generates, by the names of their files, with its defaults."""

import base64
import hashlib
import json
import pathlib
import re
import sys

folder = pathlib.Path(sys.argv[1])
kinds = json.loads((folder / "event-mapping.json").read_text())


def values(tags):
    """Returns the default of each tag, encoded and hashed as the tool does it."""
    filled = {}
    for name, tag in tags.items():
        text = tag.get("default", "")
        filled[name.replace("-", "_")] = encoded(text, tag)
        for child, how in tag.get("children", {}).items():
            filled[child] = encoded(text, how)
    return filled


def encoded(text, tag):
    if tag.get("hashing") == "md5":
        return hashlib.md5(text.encode()).hexdigest()
    if tag.get("encoding") == "base64":
        return base64.b64encode(text.encode()).decode()
    return text


events = {}
for service, generators in kinds.items():
    for generator in generators.values():
        if not isinstance(generator, dict) or "filename" not in generator:
            continue
        name = f"{service}/{generator['filename']}.json"
        tags = generator.get("tags", {})
        filled = values(tags)
        text = (folder / "events" / name).read_text()
        for tag, what in tags.items():
            if what.get("type") == "dict":
                # An object takes the place of the string.
                text = text.replace('"{{{%s}}}"' % tag, what["default"])
        text = re.sub(r"\{\{\{?(\w+)\}\}\}?", lambda tag: filled.get(tag[1], tag[1]), text)
        events[name] = json.loads(text)
json.dump(events, sys.stdout)
