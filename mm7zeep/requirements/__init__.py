"""The register of requirements: what the texts behind MM7 demand, one row each, and where each is tested.

One module per text or group of clauses; rows stand in the order of the text. The page docs/requirements.md is made of
it, and a row that nothing tests says why, or the build fails. Refuses nothing and reads nothing: it is a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mm7zeep.requirements import (
    http,
    mime_fields,
    mm7_schema,
    rfc2045,
    rfc2046,
    rfc2047,
    rfc2387,
    rfc2392,
    rfc2557,
    soap11,
    swa,
    ts23140_change,
    ts23140_common,
    ts23140_deliver,
    ts23140_reports,
    ts23140_submit,
    xml,
)
from mm7zeep.requirements.requirement import Binds, Level, Requirement, Source, Unsure

__all__ = [
    "REQUIREMENTS",
    "SOURCES",
    "UNSURE_CLAUSES",
    "WITHOUT_REQUIREMENT",
    "Binds",
    "Level",
    "Requirement",
    "Source",
    "Unsure",
]

REQUIREMENTS: Mapping[str, Requirement] = MappingProxyType(
    {
        row.id: row
        for module in (
            ts23140_submit,
            ts23140_deliver,
            ts23140_change,
            ts23140_reports,
            ts23140_common,
            mm7_schema,
            soap11,
            swa,
            rfc2387,
            rfc2392,
            rfc2045,
            rfc2046,
            rfc2047,
            rfc2557,
            mime_fields,
            xml,
            http,
        )
        for row in module.ROWS
    }
)
"""Every requirement, by id: first what MM7 itself says, then from the envelope outwards to HTTP."""

_RFC = "https://www.rfc-editor.org/rfc/rfc"

SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "ts23140": Source("TS 23.140", "3GPP TS 23.140, clause 8.7: MM7", "https://www.3gpp.org/dynareport/23140.htm"),
        "mm7xsd": Source(
            "MM7 schema",
            "The MM7 schemas, REL-5-MM7-1-0 to REL-6-MM7-1-4",
            "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/",
        ),
        "soap11": Source("SOAP 1.1", "SOAP 1.1, W3C Note", "https://www.w3.org/TR/2000/NOTE-SOAP-20000508/"),
        "swa": Source(
            "SwA",
            "SOAP Messages with Attachments, W3C Note",
            "https://www.w3.org/TR/2000/NOTE-SOAP-attachments-20001211",
        ),
        "rfc2387": Source("RFC 2387", "The MIME Multipart/Related Content-type", f"{_RFC}2387"),
        "rfc2392": Source("RFC 2392", "Content-ID and Message-ID Uniform Resource Locators", f"{_RFC}2392"),
        "rfc2045": Source("RFC 2045", "MIME, part one: format of message bodies", f"{_RFC}2045"),
        "rfc2046": Source("RFC 2046", "MIME, part two: media types", f"{_RFC}2046"),
        "rfc2047": Source("RFC 2047", "MIME, part three: header extensions for non-ASCII text", f"{_RFC}2047"),
        "rfc2557": Source("RFC 2557", "MIME encapsulation of aggregate documents", f"{_RFC}2557"),
        "rfc2183": Source("RFC 2183", "The Content-Disposition header field", f"{_RFC}2183"),
        "rfc2231": Source("RFC 2231", "MIME parameter values: charsets, languages, continuations", f"{_RFC}2231"),
        "rfc2978": Source("RFC 2978", "IANA charset registration procedures", f"{_RFC}2978"),
        "rfc5322": Source("RFC 5322", "Internet message format", f"{_RFC}5322"),
        "rfc6838": Source("RFC 6838", "Media type specifications and registration", f"{_RFC}6838"),
        "xml10": Source("XML 1.0", "Extensible Markup Language 1.0, fifth edition", "https://www.w3.org/TR/xml/"),
        "xmlns": Source(
            "Namespaces in XML", "Namespaces in XML 1.0, third edition", "https://www.w3.org/TR/xml-names/"
        ),
        "xsd2": Source("XSD datatypes", "XML Schema part 2: datatypes", "https://www.w3.org/TR/xmlschema-2/"),
        "rfc7303": Source("RFC 7303", "XML media types", f"{_RFC}7303"),
        "smil": Source("SMIL, OMA", "SMIL 2.0, and the OMA MMS conformance document", "https://www.w3.org/TR/SMIL2/"),
        "rfc9110": Source("RFC 9110", "HTTP semantics", f"{_RFC}9110"),
        "rfc9112": Source("RFC 9112", "HTTP/1.1", f"{_RFC}9112"),
        "rfc7617": Source("RFC 7617", "The Basic HTTP authentication scheme", f"{_RFC}7617"),
    }
)
"""The texts, by the key that the ids begin with, in the order of the register."""

UNSURE_CLAUSES: Mapping[str, str] = MappingProxyType(
    {"errors": "8.7.6", "binding": "8.7.8.1", "addressing": "8.7.8.2", "status": "8.7.8.3"}
)
"""The clauses of TS 23.140 whose numbers we have from memory only, by the word that stands for them in ids."""

WITHOUT_REQUIREMENT: Mapping[str, str] = MappingProxyType(
    {
        "fit/animation": "says what fitting did to a picture before it was sent: a limit of the carrier's, no text's",
        "fit/coded": "says what fitting did to a picture: a limit of the carrier's, no text's",
        "fit/colours": "says what fitting did to a picture: what handsets show, no text's",
        "fit/converted": "says what fitting did to a part: a limit of the carrier's, no text's",
        "fit/media": "a limit of the carrier's",
        "fit/metadata": "says what fitting left out of a picture: privacy, no text's",
        "fit/reference": "says what fitting changed in a presentation",
        "fit/refused": "a limit of the carrier's",
        "fit/repacked": "says what fitting did to a picture file: a limit of the carrier's, no text's",
        "fit/scaled": "says what fitting did to a picture: a limit of the carrier's, no text's",
        "fit/size": "says what fitting did to a part: a limit of the carrier's, no text's",
        "fit/truncated": "tells a damaged picture: the file formats are no part of MM7",
        "fit/turned": "says what fitting did to a picture: EXIF is no part of MM7",
        "mime/limit": "a limit of ours against abuse: the texts set none",
        "mime/name-conflict": "practice: receivers show either name, and no text says which",
        "sem/secret-in-capture": "concerns whom a capture is shown to, not the message",
        "sem/smil-unused-part": "practice: a part that no slide shows may be meant to be saved",
        "sem/subject-length": "practice: what handsets show; the schema sets no greatest length",
        "twiml/again": "says what a gateway did: Twilio's form is no part of MM7",
        "twiml/left-out": "tells an answer in Twilio's form, which is no part of MM7",
        "twiml/refused": "tells an answer in Twilio's form, which is no part of MM7",
        "twiml/unread": "tells an answer in Twilio's form, which is no part of MM7",
        "xml/limit": "a limit of ours against abuse: the texts set none",
    }
)
"""The kinds of findings behind which no requirement stands, each with the reason."""
