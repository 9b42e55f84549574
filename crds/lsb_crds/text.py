"""The forms of text in a manifest: names, URLs, images, versions, each with its meaning in words."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a text: a pattern for machines (RE2 and Python read it alike), and in words for people.

    `maximum` is the greatest length, in characters.
    """

    pattern: str
    meaning: str
    maximum: int = 253

    def check(self, text: str) -> str:
        """Return `text`, or raise the error that says what is allowed."""
        # re.match would let a `$` pass before a final newline; RE2 does not.
        if len(text) > self.maximum:
            meaning = f"at most {self.maximum} characters"
        elif re.fullmatch(self.pattern, text) is None:
            meaning = self.meaning
        else:
            return text
        raise PydanticCustomError("form", "must be {meaning}", {"meaning": meaning})

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            **handler(schema),
            "pattern": self.pattern,
            "meaning": self.meaning,
            "maxLength": self.maximum,
        }


_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_HOST = r"([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
_PORT = r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
_ORIGIN = rf"https?://{_HOST}{_PORT}"


def resource_name(maximum: int) -> Form:
    """The name of one of our resources, short enough for the names that are built from it."""
    # A Service takes the name, and a Service's name begins with a letter.
    meaning = (
        f"a DNS label of at most {maximum} characters: lower-case letters, digits and '-', a letter first"
    )
    return Form(r"^[a-z]([-a-z0-9]*[a-z0-9])?$", meaning, maximum)


DnsLabel = Annotated[
    str, Form(rf"^{_LABEL}$", "a DNS label: lower-case letters, digits and '-', such as 'team-a'", 63)
]
DnsSubdomain = Annotated[
    str, Form(rf"^{_SUBDOMAIN}$", "a DNS name: lower-case letters, digits, '-' and '.', such as 'ml-tls'")
]
DataKey = Annotated[
    str, Form(r"^[-._A-Za-z0-9]+$", "a key of a Secret or ConfigMap: letters, digits, '-', '_' and '.'")
]
Host = Annotated[
    str,
    Form(rf"^{_HOST}{_PORT}$", "a host, with a port if it needs one, such as 'images.example.org:8080'", 260),
]
HttpUrl = Annotated[
    str,
    Form(
        rf"^{_ORIGIN}(/[^\s?#]*)?$",
        "an http:// or https:// URL without credentials, query or fragment, such as 'http://localhost:8080'",
        2048,
    ),
]
HttpPath = Annotated[str, Form(r"^/[^\s?#]*$", "a path that begins with '/'", 1024)]
FilePath = Annotated[str, Form(r"^[^\x00-\x1f]+$", "a path without control characters", 4096)]
SubPath = Annotated[
    str, Form(r"^[^/\x00-\x1f][^\x00-\x1f]*$", "a relative path inside the volume, such as 'media'", 1024)
]
Image = Annotated[
    str,
    Form(r"^[a-z0-9][-A-Za-z0-9._:/@]*$", "a container image, such as 'registry.example.org/serve:1.0'", 512),
]
Weights = Annotated[
    str,
    Form(
        rf"^({_ORIGIN}/[^\s#]*(#sha256=[0-9A-Fa-f]{{64}})?|[^\s:#][^:#\x00-\x1f]*\.(pt|yaml))$",
        "a name or path that ends in .pt or .yaml, or an http(s) URL without credentials that may end in "
        "'#sha256=' and 64 hexadecimal digits",
        2048,
    ),
]
ModelVersion = Annotated[
    str, Form(r"^[0-9]+-[0-9a-f]{8}$", "a version such as '3-0a1b2c3d' (`lsb versions` lists them)", 32)
]
EnvironmentName = Annotated[
    str, Form(r"^[A-Za-z_][A-Za-z0-9_.-]*$", "the name of an environment variable, such as 'HTTPS_PROXY'")
]
LabelKey = Annotated[
    str,
    Form(
        rf"^({_SUBDOMAIN}/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$",
        "a label key, such as 'kubernetes.io/hostname'",
        317,
    ),
]
LabelValue = Annotated[
    str,
    Form(
        r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$",
        "a label value: at most 63 letters, digits, '-', '_' and '.'",
        63,
    ),
]
Text = Annotated[str, Form(r"^[^\x00]*$", "text without NUL characters", 4096)]
Timestamp = Annotated[
    str,
    Form(
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$",
        "a time in RFC 3339, such as '2026-01-31T12:00:00Z'",
        40,
    ),
]
