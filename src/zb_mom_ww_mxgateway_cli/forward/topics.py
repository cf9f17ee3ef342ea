"""Subjects (NATS) and topics (MQTT) of messages, made from a template."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from zb_mom_ww_mxgateway_console.text.terminal_text import shortened

DEFAULT = "mxgw/{forwarder}/{kind}/{tag}"
_PLACES = ("forwarder", "kind", "tag")
_PLACE = re.compile(r"\{([^{}]*)\}")
_LONGEST = 1_000
# NATS takes 4,096 bytes for a line that also has another subject, and numbers.
_LONGEST_TOPIC = 3_000


class TopicError(ValueError):
    """A template from which no valid topic can be made."""


@dataclass(frozen=True)
class Topics:
    """Topics of one broker: `separator` divides their levels, ``/`` for MQTT and ``.`` for NATS.

    The template has its levels divided by ``/``, whichever the broker. ``{kind}`` is ``event`` for values and ``mark``
    for marks, ``{tag}`` the tag with a level for each part between dots; a mark that concerns no tag has none. What a
    level must not contain is written as ``%`` and two hexadecimal digits, so that different tags have different topics.
    """

    template: str
    forwarder: str
    separator: str

    def __post_init__(self) -> None:
        named = _PLACE.findall(self.template)
        if unknown := [name for name in named if name not in _PLACES]:
            raise TopicError(f"unknown {{{unknown[0]}}}; there is {', '.join(f'{{{name}}}' for name in _PLACES)}")
        text = _PLACE.sub("", self.template)
        if any(char in "{}+#*>." or char.isspace() or not char.isprintable() for char in text):
            raise TopicError("its own text must have no blanks and none of { } + # * > . ; levels are divided by /")
        if not all(self.template.split("/")):
            raise TopicError("it must name at least one level, and no empty one")
        if text.startswith("$"):
            raise TopicError("topics that begin with $ belong to the broker")
        if len(self.template) > _LONGEST:
            raise TopicError(f"it must have at most {_LONGEST} characters")

    def check(self, tags: Iterable[str]) -> None:
        """Raise TopicError for a tag whose topic is longer than every broker takes."""
        for tag in tags:
            if len(self.topic("event", tag)) > _LONGEST_TOPIC:
                raise TopicError(f"the topic of {shortened(tag)} has more than {_LONGEST_TOPIC} characters")

    def topic(self, kind: str, tag: str | None) -> str:
        """Return the topic of a message of this kind about this tag, or about none."""
        levels = []
        for level in self.template.split("/"):
            if level == "{tag}":
                levels += self._levels_of(tag or "")
                continue
            places = {"forwarder": _quoted(self.forwarder), "kind": kind, "tag": _quoted(tag or "")}
            if filled := _PLACE.sub(lambda found: places[found[1]], level):  # noqa: B023  # called at once
                levels.append(filled)
        return self.separator.join(levels) or kind

    @staticmethod
    def _levels_of(tag: str) -> list[str]:
        if not tag:
            return []
        parts = tag.split(".")
        # An empty level is no level: such a tag is one level, its dots quoted.
        return [_quoted(part) for part in parts] if all(parts) else [_quoted(tag)]


def _quoted(text: str) -> str:
    """Return the text without what divides levels, is a wildcard, or belongs to a broker."""
    return quote(text, safe="[]()").replace(".", "%2E")
