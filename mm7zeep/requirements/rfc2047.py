"""Requirements of RFC 2047 that bear on MM7: encoded words in names of parts and in header fields."""

from __future__ import annotations

from mm7zeep.requirements.requirement import row

ROWS = (
    row("rfc2047-2-1", "MUST", "sender", "an encoded word has at most 75 characters", untested="our writer uses RFC 2231 instead; readers lose nothing by a longer one"),
    row("rfc2047-2-2", "MUST", "sender", "an encoded word is =?charset?B or Q?text?=, without blanks", untested="our writer uses RFC 2231 instead; what is no encoded word is read as it stands"),
    row("rfc2047-4-1", "MUST", "receiver", "the encodings B and Q are understood, in upper and lower case", tests="test_texts::test_names test_mime_reader::test_disposition"),
    row("rfc2047-5-1", "MUST", "sender", "no encoded word stands within a quoted string", rules="mime/filename-encoding", cases="content/filename-non-ascii"),
    row("rfc2047-5-2", "MUST", "sender", "no encoded word stands in a parameter of Content-Type or Content-Disposition", rules="mime/filename-encoding", cases="content/filename-non-ascii", tests="test_mime_writer::test_names"),
    row("rfc2047-5-3", "MUST", "sender", "no character is divided between two encoded words", untested="our writer uses RFC 2231 instead, and no rule takes words apart by character"),
    row("rfc2047-6.2-1", "MUST", "receiver", "blanks between two encoded words are not shown", tests="test_required::test_blanks_between_encoded_words"),
    row("rfc2047-6.3-1", "MUST", "receiver", "a word in an unknown charset or broken encoding does no harm: it is shown as it came", tests="test_texts::test_names test_mime_hostile::test_encoded_words_are_bounded"),
)
