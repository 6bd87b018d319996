"""Requirements of TS 23.140 8.7.2: delivery requests (MM7_deliver.REQ and .RES)."""

from __future__ import annotations

from mm7zeep.requirements.requirement import row

ROWS = (
    row("ts23140-8.7.2-1", "MUST", "MMSC", "a message for a VASP is handed over by MM7_deliver.REQ (DeliverReq)", rules="sem/mo-as-submit soap/operation-direction", cases="callback/older-namespace soap/operation-wrong-direction", tests="test_gateway_app::test_mo"),
    row("ts23140-8.7.2-2", "MUST", "VASP", "it is answered by MM7_deliver.RES (DeliverRsp) or an error", rules="sem/rsp-matches-req", cases="deliver/basic callback/wrong-direction answer/operation"),
    row("ts23140-8.7.2-3", "MUST", "MMSC", "the request has one TransactionID, not empty", rules="soap/transaction-present soap/transaction-once soap/transaction-value", cases="callback/older-namespace deliver/txid-missing"),
    row("ts23140-8.7.2-4", "MUST", "VASP", "the answer has the TransactionID of its request", rules="soap/transaction-echo", cases="answer/transaction-id answer/foreign deliver/txid-long deliver/parallel"),
    row("ts23140-8.7.2-5", "MUST", "VASP", "a request without TransactionID is refused", cases="deliver/txid-missing"),
    row("ts23140-8.7.2-6", "MUST", "both", "MM7Version is given in request and answer", rules="version/present", cases="deliver/version-missing deliver/version-unknown answer/version"),
    row("ts23140-8.7.2-7", "MAY", "MMSC", "the MMSC names itself by MMSRelayServerID", cases="deliver/vaspid-order", tests="test_gateway_elements::test_nothing_is_lost"),
    row("ts23140-8.7.2-8", "MAY", "MMSC", "LinkedID is given, for the VASP to name the message by in an answer", cases="deliver/linked-id", tests="test_gateway_relaying::test_linked_id_both_ways"),
    row("ts23140-8.7.2-9", "MUST", "MMSC", "the sender of the message is named", rules="schema/missing-element", cases="deliver/sender-missing deliver/sender-number deliver/sender-mail deliver/sender-shortcode"),
    row("ts23140-8.7.2-10", "MUST", "VASP", "a sender of each kind is understood: number, mail address, short code", cases="deliver/sender-number deliver/sender-mail deliver/sender-shortcode deliver/sender-plmn"),
    row("ts23140-8.7.2-11", "MAY", "MMSC", "the sender's address may be hidden", cases="deliver/sender-anonymous", unsure="wording"),
    row("ts23140-8.7.2-12", "MAY", "MMSC", "the recipients of the message are named, all of them or the VASP alone", cases="deliver/recipients-missing deliver/recipients-cc-bcc"),
    row("ts23140-8.7.2-13", "MUST", "VASP", "a message that is not for the VASP is refused, or taken knowingly", cases="deliver/unknown-recipient", unsure="wording"),
    row("ts23140-8.7.2-14", "MUST", "VASP", "each Priority is taken, and none", cases="deliver/priority-each*"),
    row("ts23140-8.7.2-15", "MUST", "MMSC", "the Subject is passed on as the sender wrote it", cases="deliver/subject-utf8", tests="test_gateway_elements::test_nothing_is_lost", unsure="level"),
    row("ts23140-8.7.2-16", "MAY", "MMSC", "TimeStamp says when the message was submitted", rules="sem/timestamp-future", cases="deliver/timestamp-offset", tests="test_gateway_elements::test_nothing_is_lost"),
    row("ts23140-8.7.2-17", "MUST", "MMSC", "ReplyChargingID names the message that an answer belongs to, where the VASP pays for it", cases="deliver/reply-charging", tests="test_gateway_elements::test_nothing_is_lost", unsure="level"),
    row("ts23140-8.7.2-18", "MAY", "MMSC", "release 6: who forwarded the message, and when, is told in Previouslysentby and Previouslysentdateandtime", cases="deliver/previously-sent"),
    row("ts23140-8.7.2-19", "MAY", "MMSC", "release 6: SenderSPI and RecipientSPI name the service providers", cases="deliver/spi callback/older-namespace"),
    row("ts23140-8.7.2-20", "MUST", "VASP", "release 6: the message is given to the application that ApplicID names, or refused", cases="deliver/applic-id"),
    row("ts23140-8.7.2-21", "MAY", "MMSC", "release 6: UACapabilities tells what the sender's handset can do", cases="deliver/ua-capabilities"),
    row("ts23140-8.7.2-22", "MUST", "MMSC", "the content's type is said, and the content sent as an attachment", rules="sem/content-without-part sem/part-without-content", cases="deliver/multipart-smil deliver/no-content", tests="test_client_operations::test_parts_arrive_as_they_are", unsure="level"),
    row("ts23140-8.7.2-23", "MUST", "VASP", "content arrives whole, or the request is refused", cases="deliver/basic deliver/multipart-smil deliver/multipart-mixed deliver/binary-parts deliver/closing-missing deliver/cid-unresolved content/cut", unsure="level"),
    row("ts23140-8.7.2-24", "MUST", "VASP", "the answer says the status of the request", rules="schema/status-complete", cases="deliver/basic answer/schema"),
    row("ts23140-8.7.2-25", "MUST", "VASP", "a request that is not accepted is answered with the reason", cases="deliver/sender-missing deliver/not-well-formed callback/operation-unknown rsp/status-3000"),
    row("ts23140-8.7.2-26", "MAY", "VASP", "the answer has a ServiceCode for charging", tests="test_receiver::test_result"),
    row("ts23140-8.7.2-27", "SHOULD", "MMSC", "a request that was not answered is sent again, a bounded number of times", cases="report/retry-refused callback/bounded-retries", tests="test_gateway_app::test_retried", unsure="wording"),
    row("ts23140-8.7.2-28", "SHOULD", "VASP", "a request that comes again is acknowledged again", cases="deliver/repeat", unsure="wording"),
    row("ts23140-8.7.2-29", "MUST", "MMSC", "a VASP gets what is meant for it, and nothing of others", cases="callback/other-application", tests="test_gateway_app::test_between_applications test_gateway_app::test_mo_to_nobody", unsure="wording"),
    row("ts23140-8.7.2-30", "MUST", "VASP", "release 6: an answer to a message names by ApplicID what the message had in ReplyApplicID", untested="what an application answers is its own doing; a gateway has no message of its own to answer"),
)
