"""Kinds of findings about what an application answers to a message in Twilio's form; one row per kind, sorted by id."""

from __future__ import annotations

from mm7zeep.findings.kind import Kind

ROWS = (
    Kind(
        "twiml/again",
        "INFO",
        None,
        "common practice",
        "an answer that was sent before is not sent again",
        "none is needed",
        needs="gateway",
    ),
    Kind(
        "twiml/left-out",
        "SHOULD",
        None,
        "Twilio, TwiML for Programmable Messaging",
        "the answer to a message says nothing but Message, with Body and Media",
        "send the rest by the API",
        needs="gateway",
    ),
    Kind(
        "twiml/refused",
        "MUST",
        None,
        "Twilio, TwiML for Programmable Messaging",
        "a message in an answer is one that the API would take",
        "change the message as the meaning of its code says",
        needs="gateway",
    ),
    Kind(
        "twiml/unread",
        "SHOULD",
        None,
        "Twilio, TwiML for Programmable Messaging",
        "the answer to a message is empty, or TwiML as XML",
        "answer <Response/>, or 204 without a body",
        needs="gateway",
    ),
)
