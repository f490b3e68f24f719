"""The description of what Python and the browser say to each other, as a JSON Schema.

`frontend/src/messages/*.ts` is the description; `npm run build` in `frontend/` makes the schema of it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parent / "messages.schema.json").read_text(encoding="utf-8"))
DEFINITIONS: dict[str, Any] = SCHEMA["definitions"]


@cache
def _validator(name: str) -> Draft7Validator:
    return Draft7Validator({"$ref": f"#/definitions/{name}", "definitions": DEFINITIONS})


def hold(name: str, value: Any) -> None:
    """Fails unless `value`, sent as JSON, is what the description calls `name`."""
    sent = json.loads(json.dumps(value))
    errors = _validator(name).iter_errors(sent)
    complaints = [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]
    assert complaints == [], f"not a {name}:\n" + "\n".join(complaints)


def hold_traits(name: str, widget: Any) -> None:
    """The same for all that a widget keeps in step with the browser."""
    hold(name, {trait: getattr(widget, trait) for trait in DEFINITIONS[name]["properties"]})
