"""Requirements of TS 23.140 8.7.3 and 8.7.5A: cancel, replace, and their extended forms."""

from __future__ import annotations

from mm7zeep.requirements.requirement import row

ROWS = (
    row("ts23140-8.7.3-1", "MAY", "MMSC", "cancel and replace need not be supported; 4003 says so", cases="cancel/scheduled replace/scheduled"),
    row("ts23140-8.7.3-2", "MUST", "MMSC", "CancelReq is answered by CancelRsp, ReplaceReq by ReplaceRsp, or by an error", rules="sem/rsp-matches-req", cases="cancel/scheduled replace/scheduled answer/operation"),
    row("ts23140-8.7.3-3", "MUST", "both", "requests have a TransactionID, which the answer repeats", rules="soap/transaction-present soap/transaction-echo", cases="cancel/scheduled replace/scheduled answer/transaction-id"),
    row("ts23140-8.7.3-4", "MUST", "VASP", "MM7Version is given", rules="version/present", cases="version/missing", tests="test_client_operations::test_operation_goes_out_faultless_and_its_answer_comes_in"),
    row("ts23140-8.7.3-5", "MUST", "VASP", "the message is named by the MessageID of the answer to its submit", rules="schema/missing-element", cases="cancel/no-id"),
    row("ts23140-8.7.3-6", "MUST", "MMSC", "a MessageID that is not known is answered 2005", cases="cancel/unknown-id replace/unknown-id"),
    row("ts23140-8.7.3-7", "MUST", "MMSC", "a cancelled message is not delivered", cases="cancel/nothing-after cancel/scheduled"),
    row("ts23140-8.7.3-8", "MUST", "MMSC", "who has the message keeps it: a cancel that comes too late is refused (3001)", cases="cancel/delivered cancel/notified", unsure="level"),
    row("ts23140-8.7.3-9", "SHOULD", "MMSC", "a cancel that reaches some recipients only says so (1100), or is refused", cases="cancel/partly-delivered replace/one-retrieved", unsure="wording"),
    row("ts23140-8.7.3-10", "SHOULD", "MMSC", "what was cancelled cannot be cancelled again", cases="cancel/twice", unsure="wording"),
    row("ts23140-8.7.3-11", "MUST", "MMSC", "nobody cancels or replaces the messages of another VASP", cases="cancel/other-vasp replace/other-vasp", tests="test_gateway_app::test_others_messages_do_not_exist"),
    row("ts23140-8.7.3-12", "MUST", "MMSC", "a replaced message is delivered as the replacement says", cases="replace/content-arrives replace/scheduled"),
    row("ts23140-8.7.3-13", "MUST", "MMSC", "what the replacement does not name stays as it was submitted", cases="replace/dates-only", tests="test_gateway_app::test_replace", unsure="level"),
    row("ts23140-8.7.3-14", "MUST", "MMSC", "a replacement has no effect on who has the message already", cases="replace/delivered replace/notified replace/one-retrieved", unsure="level"),
    row("ts23140-8.7.3-15", "MUST", "VASP", "recipients cannot be replaced", rules="schema/unknown-element", cases="replace/recipients"),
    row("ts23140-8.7.3-16", "MUST", "MMSC", "a replacement's EarliestDeliveryTime counts from then on", cases="replace/dates-only replace/scheduled", tests="test_gateway_app::test_replace", unsure="level"),
    row("ts23140-8.7.3-17", "MUST", "VASP", "new content is sent as that of a submit", rules="sem/content-without-part", cases="replace/content-arrives", unsure="level"),
    row("ts23140-8.7.3-18", "MUST", "MMSC", "the answer says the status of the request", rules="schema/status-complete", cases="cancel/scheduled replace/scheduled answer/schema"),
    row("ts23140-8.7.3-19", "MUST", "both", "a request without attachment is taken as text/xml", cases="cancel/no-charset cancel/multipart cancel/scheduled"),
    row("ts23140-8.7.3-20", "MAY", "VASP", "release 6: ApplicID, ReplyApplicID and AuxApplicInfo go with cancel and replace", tests="test_gateway_relaying::test_cancel_names_the_application test_gateway_elements::test_nothing_is_lost"),
    row("ts23140-8.7.5A-1", "MAY", "MMSC", "release 6: extendedCancelReq and extendedReplaceReq may be supported; 4003 says that they are not", cases="extended-cancel/basic extended-replace/basic"),
    row("ts23140-8.7.5A-2", "MUST", "MMSC", "each is answered by its own response or by an error", rules="sem/rsp-matches-req", cases="extended-cancel/basic extended-replace/basic", tests="test_receiver::test_extended_operation_is_refused_in_form"),
    row("ts23140-8.7.5A-3", "MUST", "VASP", "extendedCancelReq names by CancelID what is to be cancelled", rules="schema/missing-element", cases="extended-cancel/basic"),
    row("ts23140-8.7.5A-4", "MUST", "VASP", "extendedReplaceReq names by ReplaceID what is to be replaced (the schema lets it be left out)", cases="extended-replace/basic", unsure="level"),
    row("ts23140-8.7.5A-5", "MUST", "MMSC", "extendedReplaceRsp has the MessageID of the new message", rules="schema/missing-element", cases="extended-replace/basic"),
    row("ts23140-8.7.5A-6", "MUST", "MMSC", "what a CancelID covers is cancelled, and nothing else", untested="our MMSC refuses the extended operations (4003), and the text that defines CancelID was not to be had", unsure="wording"),
    row("ts23140-8.7.5A-7", "MUST", "both", "they exist from REL-6-MM7-1-4 on; in older namespaces they are unknown operations", rules="schema/version-element", cases="extended-cancel/basic extended-replace/basic", tests="test_envelope::test_what_cannot_be_written"),
)
