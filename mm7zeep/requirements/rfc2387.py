"""Requirements of RFC 2387: multipart/related."""

from __future__ import annotations

from mm7zeep.requirements.requirement import row

ROWS = (
    row("rfc2387-3.1-1", "MUST", "sender", "the type parameter is given", rules="mime/related-type", cases="mime/type-missing"),
    row("rfc2387-3.1-2", "MUST", "sender", "its value is the media type of the root part", rules="mime/related-type-root sem/smil-root", cases="mime/type-quoted"),
    row("rfc2387-3.2-1", "MUST", "sender", "start, where given, is the Content-ID of the root", rules="mime/related-start-resolves sem/smil-root", cases="mime/start-dangling"),
    row("rfc2387-3.2-2", "MUST", "receiver", "the part that start names is the root, wherever it stands", rules="mime/root-first", cases="mime/root-last deliver/root-last", tests="test_mime_reader::test_root_last"),
    row("rfc2387-3.2-3", "MUST", "receiver", "without start, the first part is the root", cases="mime/start-missing deliver/start-missing"),
    row("rfc2387-3.3-1", "MUST", "receiver", "start-info, where given, is handed to the application", untested="MM7 defines no meaning for start-info, which we keep as a parameter and use for nothing"),
    row("rfc2387-3.4-1", "MUST", "sender", "start is written as a Content-ID, in angle brackets", rules="mime/start-brackets", cases="client/submit-valid"),
    row("rfc2387-3.4-2", "MUST", "sender", "type is written in quotation marks, as it holds a slash", rules="mime/related-type-quoted", cases="mime/type-bare deliver/type-bare"),
    row("rfc2387-4-1", "MUST", "receiver", "the disposition type of parts within multipart/related is ignored", cases="deliver/base64-parts", tests="test_mime_reader::test_disposition"),
    row("rfc2387-4-2", "MAY", "receiver", "the file name of a Content-Disposition is given to the application", tests="test_mime_reader::test_disposition test_cli_listen::test_saved_parts_have_names_of_ours"),
    row("rfc2387-5-1", "MUST", "receiver", "who does not know multipart/related treats it as multipart/mixed", untested="each side of MM7 has to know it, by SwA"),
    row("rfc2387-5.1-1", "MUST", "receiver", "the application gets the bodies, their Content- fields, the parameters and which body has which Content-ID", cases="content/related-smil deliver/multipart-smil", tests="test_mime_reader::test_a_sound_package test_receiver::test_parts_arrive_untouched"),
    row("rfc2387-5.3-1", "MUST", "receiver", "a multipart/related within another is expected and kept", cases="content/related-smil deliver/multipart-smil", tests="test_mime_reader::test_nested_deeper"),
)
