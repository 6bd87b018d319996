"""Requirements of the smaller MIME texts that bear on MM7: RFC 2183, 2231, 2978, 5322, 6838."""

from __future__ import annotations

from mm7zeep.requirements.requirement import row

ROWS = (
    row("rfc2183-2-1", "MUST", "sender", "Content-Disposition is a word, then ; name=value, quoted where it has special characters", rules="mime/disposition-syntax", cases="client/submit-valid"),
    row("rfc2183-2.3-1", "SHOULD", "receiver", "the directory in a filename is ignored: only the last step of a path counts", rules="mime/disposition-path", tests="test_media::test_safe_name"),
    row("rfc2183-2.3-2", "MUST", "receiver", "a filename is a proposal: nothing is overwritten or written elsewhere by it", rules="mime/disposition-path", tests="test_cli_listen::test_saved_parts_have_names_of_ours test_gateway_viewer_parts::test_names_are_not_the_sender_s"),
    row("rfc2183-2.3-3", "MUST", "sender", "a filename beyond US-ASCII is written by RFC 2231", rules="mime/filename-encoding", cases="content/filename-non-ascii"),
    row("rfc2183-2.8-1", "SHOULD", "receiver", "an unknown disposition type is treated as attachment; unknown parameters are ignored", tests="test_texts::test_sound_dispositions"),
    row("rfc2231-3-1", "MUST", "receiver", "a value in pieces (name*0, name*1) is put together by number, not by place", tests="test_mime_reader::test_content_type"),
    row("rfc2231-4-1", "MUST", "sender", "name*=charset'language'text says the charset, octets as %XX", rules="mime/filename-encoding", cases="content/filename-non-ascii", tests="test_mime_writer::test_names"),
    row("rfc2231-4-2", "MUST", "sender", "both apostrophes are there, even where charset or language is left out", tests="test_mime_writer::test_names"),
    row("rfc2231-4.1-1", "MUST", "sender", "in pieces, only the first says the charset, and only pieces with * at the end have %XX", tests="test_mime_reader::test_content_type"),
    row("rfc2978-2.3-1", "SHOULD", "sender", "charsets are named as registered", rules="mime/charset-alias mime/root-charset-alias", unsure="level"),
    row("rfc5322-2.2.3-1", "MUST", "receiver", "a folded field of a part header is one field: a line break before a blank is no end", cases="mime/part-header-folded", tests="test_mime_reader::test_one_deviation"),
    row("rfc5322-2.2.3-2", "MUST", "sender", "a folded line begins with a blank", rules="mime/part-header-syntax http/field-continued"),
    row("rfc5322-3.4.1-1", "MUST", "sender", "an RFC2822Address holds an addr-spec", rules="sem/mail-form", cases="submit/address/mail deliver/sender-mail"),
    row("rfc6838-3-1", "SHOULD", "sender", "a media type is registered; that of a vendor begins with vnd", rules="mime/vendor-type", unsure="level"),
)
