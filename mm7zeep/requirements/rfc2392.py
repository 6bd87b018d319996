"""Requirements of RFC 2392: the cid: URL."""

from __future__ import annotations

from mm7zeep.requirements.requirement import row

ROWS = (
    row("rfc2392-2-1", "MUST", "sender", "a cid: URL is the word cid:, then the Content-ID without its angle brackets", rules="sem/content-href-cid sem/content-href-brackets", cases="mime/cid-resolves"),
    row("rfc2392-2-2", "MUST", "sender", "characters that a URL may not hold are written as %XX", rules="sem/content-href-resolves", cases="mime/cid-escaped", tests="test_required::test_percent_sign_in_a_content_id"),
    row("rfc2392-2-3", "MUST", "receiver", "to find the part: take cid: off, undo %XX, put angle brackets around it, compare with Content-ID", rules="sem/content-href-resolves", cases="mime/cid-resolves mime/cid-escaped deliver/multipart-smil", tests="test_mime_reader::test_find_an_escaped_id"),
    row("rfc2392-2-4", "MUST", "sender", "a Content-ID that is referred to is an addr-spec: a left side, @, a right side", rules="mime/content-id-syntax", cases="mime/cid-no-at"),
    row("rfc2392-2-5", "MUST", "sender", "Content-IDs are unique in the world", rules="mime/content-id-unique", cases="mime/cid-duplicate", tests="test_exchange::test_parts_without_content_id_get_one"),
    row("rfc2392-2-6", "MUST", "sender", "the part that a cid: URL names is in the same message", rules="sem/content-href-resolves sem/smil-references", cases="mime/cid-unresolved deliver/cid-unresolved content/smil-dangling"),
    row("rfc2392-2-7", "MUST", "both", "the scheme cid is the same in upper and lower case (RFC 3986 3.1)", tests="test_mime_reader::test_find"),
    row("rfc2392-2-8", "MUST", "sender", "Content-IDs hold ASCII only", rules="mime/content-id-syntax", tests="test_mime_writer::test_content_ids_that_do_not_fit"),
    row("rfc2392-2-9", "MAY", "sender", "a mid: URL may name a part of another message", untested="MM7 refers to parts of the same message only"),
)
