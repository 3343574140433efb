"""What a SARIF log of ours has to obey, written from SARIF 2.1.0 (OASIS), sections 3.11 to 3.58.

No package that can be installed carries the schema of OASIS. This one is stricter on what is
there: properties that we do not write are refused, also where the specification allows them.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def obj(required: list[str], **properties: Schema) -> Schema:
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
    }


def listed(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


STRING: Schema = {"type": "string"}
FILLED: Schema = {"type": "string", "minLength": 1}
BAG: Schema = {"type": "object"}
LEVEL: Schema = {"enum": ["none", "note", "warning", "error"]}
# 3.11: a message has a text (or an id); what GitHub shows is never empty
MESSAGE = obj(["text"], text=FILLED)
# 3.4.3: a valid URI reference by RFC 3986: ASCII, no spaces, every % followed by two hex digits
URI: Schema = {
    "type": "string",
    "pattern": r"^(%[0-9A-Fa-f]{2}|[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=])+$",
}
LOCATION = obj(
    [],
    physicalLocation=obj(["artifactLocation"], artifactLocation=obj(["uri"], uri=URI)),
    logicalLocations=listed(obj(["fullyQualifiedName"], fullyQualifiedName=STRING)),
)
# 3.35
SUPPRESSION = obj(
    ["kind"],
    kind={"enum": ["inSource", "external"]},
    status={"enum": ["accepted", "underReview", "rejected"]},
    justification=STRING,
)
# 3.27
RESULT = obj(
    ["message", "ruleId", "level"],
    ruleId=FILLED,
    level=LEVEL,
    message=MESSAGE,
    locations=listed(LOCATION),
    suppressions=listed(SUPPRESSION),
    properties=BAG,
)
# 3.58
NOTIFICATION = obj(["message"], level=LEVEL, message=MESSAGE, locations=listed(LOCATION))
# 3.20
INVOCATION = obj(
    ["executionSuccessful"],
    executionSuccessful={"type": "boolean"},
    exitCode={"type": "integer"},
    toolExecutionNotifications=listed(NOTIFICATION),
)
# 3.18, 3.19, 3.49: rules are unique
RULE = obj(["id"], id=FILLED, shortDescription=MESSAGE)
DRIVER = obj(["name"], name=FILLED, version=STRING, rules=listed(RULE, uniqueItems=True))
# 3.14: a run that did not fail has results, if only none
RUN = obj(
    ["tool", "results"],
    tool=obj(["driver"], driver=DRIVER),
    automationDetails=obj([], id=STRING),
    invocations=listed(INVOCATION),
    results=listed(RESULT),
    properties=BAG,
)
# 3.13
SARIF = {
    **obj(
        ["version", "runs"],
        version={"const": "2.1.0"},
        runs=listed(RUN),
    )
}
SARIF["properties"]["$schema"] = {"type": "string", "format": "uri"}
