"""Requirements of RFC 2557 that bear on MM7: Content-Location, and how references find parts."""

from __future__ import annotations

from mm7zeep.requirements.requirement import row

ROWS = (
    row("rfc2557-4.2-1", "MUST", "sender", "a header has at most one Content-Location", rules="mime/duplicate-field", unsure="level"),
    row("rfc2557-4.2-2", "MUST", "sender", "its value is one URI, absolute or relative", tests="test_mime_writer::test_a_location_becomes_a_uri"),
    row("rfc2557-4.2-3", "MAY", "sender", "the URI need lead nowhere: within the package it is a label", cases="mime/content-location", tests="test_exchange::test_contents"),
    row("rfc2557-4.2-4", "SHOULD", "sender", "no two parts of one multipart/related have the same Content-Location", rules="mime/content-location-unique", unsure="level"),
    row("rfc2557-4.4.1-1", "MUST", "sender", "characters that a URI may not hold are encoded before it stands in the field", tests="test_mime_writer::test_a_location_becomes_a_uri", unsure="level"),
    row("rfc2557-4.4.2-1", "MAY", "sender", "a long URI is folded; blanks from folding are taken out again", untested="our reader does not take blanks out of a Content-Location; no MM7 sender that we know folds one", unsure="wording"),
    row("rfc2557-5-1", "MUST", "receiver", "a relative reference takes its base from the part's Content-Location, then from the multiparts around it, then thismessage:/", cases="mime/content-location"),
    row("rfc2557-7-1", "SHOULD", "sender", "parts that refer to each other are sent in one multipart/related", rules="sem/smil-root sem/smil-missing", cases="content/related-smil deliver/multipart-smil"),
    row("rfc2557-7-2", "SHOULD", "sender", "its root is the part that refers to the others: the SMIL presentation", rules="sem/smil-root", cases="content/related-smil", tests="test_mime_writer::test_several_parts_with_a_presentation"),
    row("rfc2557-8.2-1", "MUST", "receiver", "a reference is compared with the Content-Locations of the parts", rules="sem/smil-references", cases="mime/content-location", tests="test_mime_reader::test_find"),
    row("rfc2557-8.2-2", "MUST", "receiver", "both are made absolute before that", untested="our reader compares them as they are written: senders of MM7 use file names on both sides"),
    row("rfc2557-8.2-3", "MUST", "receiver", "a reference that matches finds the part of the package, not what the network has", rules="sem/smil-references", tests="test_gateway_viewer_hostile::test_the_handset_plays_what_strangers_sent test_gateway_viewer_slides::test_references"),
    row("rfc2557-8.3-1", "MUST", "sender", "a cid: URL in a part has the value of a Content-ID in the package, without the angle brackets", rules="sem/smil-references sem/smil-reference-form", cases="content/related-smil content/smil-dangling"),
    row("rfc2557-11-1", "SHOULD", "receiver", "a part is not taken for what the network has under its Content-Location", tests="test_gateway_viewer_hostile::test_parts_that_are_opened_do_nothing", unsure="clause"),
)
