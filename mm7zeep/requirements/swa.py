"""Requirements of SOAP Messages with Attachments (W3C Note of 2000-12-11)."""

from __future__ import annotations

from mm7zeep.requirements.requirement import row

ROWS = (
    row("swa-3-1", "MUST", "sender", "a SOAP message package is a multipart/related entity", rules="http/content-type-known http/content-type-matches-body mime/xop-outer", cases="http/content-type-text-xml-submit mime/outer-mixed mime/header-multipart-body-xml"),
    row("swa-3-2", "MUST", "sender", "the primary SOAP message is the root part", rules="mime/root-is-xml", cases="mime/root-last deliver/root-last content/single-part"),
    row("swa-3-3", "MUST", "sender", "so the type parameter and the root's Content-Type are text/xml", rules="mime/related-type mime/related-type-root mime/root-is-xml", cases="mime/type-quoted"),
    row("swa-3-4", "MUST", "sender", "a part that is referred to has a Content-ID (RFC 2045) or a Content-Location (RFC 2557)", rules="sem/content-href-resolves", cases="mime/cid-resolves mime/content-location"),
    row("swa-3-5", "SHOULD", "sender", "the root part has a Content-ID", rules="mime/related-start", cases="client/submit-valid"),
    row("swa-3-6", "SHOULD", "sender", "the start parameter is always given", rules="mime/related-start", cases="client/submit-valid"),
    row("swa-3-7", "MAY", "sender", "the package may hold parts that nothing refers to", rules="mime/unreferenced-part", cases="mime/extra-part"),
    row("swa-3-8", "MAY", "sender", "a package may hold the SOAP message alone", cases="cancel/multipart report/multipart"),
    row("swa-3-9", "MAY", "sender", "the root part may be encoded in any way that MIME allows", rules="mime/root-cte", cases="mime/soap-base64", unsure="wording"),
    row("swa-references-1", "MUST", "receiver", "a URI reference in the message is resolved by RFC 2557 among the parts of the package", rules="sem/content-href-resolves", cases="mime/cid-resolves mime/content-location", unsure="clause"),
    row("swa-references-2", "MUST", "receiver", "a reference that matches no part is left to the ordinary meaning of its URI; MM7 content is then missing", rules="sem/content-href-resolves sem/content-without-part", cases="mime/cid-unresolved deliver/cid-unresolved", unsure="clause"),
    row("swa-references-3", "MAY", "receiver", "a reference need not be followed unless the application wants it; we never fetch one", tests="test_exchange::test_contents test_exchange::test_content_that_never_arrives", unsure="clause"),
    row("swa-references-4", "MUST", "receiver", "relative references take the root's Content-Location as base, then the package's, then thismessage:/", cases="mime/content-location", unsure="clause"),
    row("swa-http-1", "MUST", "sender", "the multipart/related Content-Type is a field of the HTTP head", rules="http/content-type-present http/content-type-matches-body", cases="http/content-type-missing", unsure="clause"),
    row("swa-http-2", "MUST", "sender", "no other field that MIME defines stands in the HTTP head, such as Content-Transfer-Encoding", rules="http/entity-header-misplaced", unsure="clause"),
    row("swa-http-3", "MUST", "sender", "MIME-Version does not stand in the HTTP head (common practice sends it; receivers take it)", rules="http/mime-version", cases="http/unknown-headers", unsure="clause"),
    row("swa-http-4", "MUST", "sender", "the parts with their MIME headers are the body of the HTTP message", rules="http/content-type-matches-body mime/boundary-used", cases="mime/header-multipart-body-xml", unsure="clause"),
)
