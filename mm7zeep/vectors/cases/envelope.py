"""Examples for the XML of the envelope, the SOAP frame and the namespaces."""

from __future__ import annotations

from mm7zeep.profiles import NAMESPACE_PREFIX
from mm7zeep.vectors.building import (
    LATE,
    ONE,
    SCHEMA,
    SUBMIT,
    SUBMITTED,
    XML,
    answer,
    bend,
    bent,
    every,
    message,
    octets,
    post,
    refused,
    submit,
    twins,
)
from mm7zeep.vectors.envelopes import NO, TO, VERSION, WHO, fault, transaction
from mm7zeep.vectors.envelopes import envelope as enveloped
from mm7zeep.vectors.envelopes import message as plain

_BLOCK = transaction(schema=SCHEMA)
_ERROR = plain("RSErrorRsp", VERSION + NO, SCHEMA)
FAULT = answer(enveloped(fault(_ERROR), _BLOCK), 500)
_TIDE = post(submit("<Subject>Högt vatten</Subject>"))
_DECLARED = post('<?xml version="1.0" encoding="UTF-8"?>' + submit("<Subject>Högt vatten</Subject>"))
_INNER = VERSION + WHO + TO
_OWN = plain("SubmitReq", _INNER, SCHEMA)
_HEADER = f"<env:Header>{_BLOCK}</env:Header>"
_EARLY = submit(schema="REL-5-MM7-1-0", to="<Recipients><To><Number>4670000001</Number></To></Recipients>")
_FOREIGN = '<k:Pier xmlns:k="urn:k" env:mustUnderstand="0"/></env:Header>'
_CHILD = f'xmlns="{NAMESPACE_PREFIX}{SCHEMA}"'


def _deep(count: int) -> str:
    return submit("<x>" * count + "</x>" * count)


CASES = (
    # XML
    bend("xml/well-formed", SUBMIT, "<VASPID>", "<VASPID<"),
    refused(
        twins(
            "http/truncated",
            SUBMIT[:-20],
            SUBMIT,
            "the end is missing",
            "http/content-length http/truncated xml/well-formed",
        )
    ),
    twins("xml/no-dtd", "<!DOCTYPE x>" + submit(), SUBMIT, "<!DOCTYPE x>"),
    twins("xml/no-dtd", '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>' + submit(), SUBMIT, "<!DOCTYPE x [...]>"),
    twins(
        "xml/no-pi",
        '<?xml-stylesheet href="x"?>' + submit(),
        '<?xml version="1.0"?>' + submit(),
        "<?xml-stylesheet ...?>",
    ),
    twins("xml/no-pi", submit("<?tide low?>"), SUBMIT, "<?tide low?>"),
    twins(
        "xml/declaration-first",
        '\r\n<?xml version="1.0"?>' + submit(),
        '<?xml version="1.0"?>' + submit(),
        "an empty line before <?xml",
    ),
    bend("xml/charset-agrees", _DECLARED, 'charset="utf-8"', 'charset="us-ascii"'),
    twins(
        "xml/charset-agrees",
        post(submit("<Subject>Högt</Subject>").encode("latin-1"), XML),
        post(submit("<Subject>Högt</Subject>")),
        "latin-1 labelled utf-8",
    ),
    refused(
        twins(
            "xml/charset-agrees",
            post(submit("<Subject>Полдень</Subject>").encode("windows-1251"), XML),
            post(submit("<Subject>Полдень</Subject>")),
            "windows-1251 labelled utf-8",
        )
    ),
    twins(
        "xml/charset-agrees",
        post('<?xml version="1.0" encoding="GB2312"?>' + submit("<Subject>Högt</Subject>"), "text/xml"),
        post(submit("<Subject>Högt</Subject>")),
        "UTF-8 declared as GB2312",
    ),
    twins("xml/charset-agrees", post(submit(), "text/xml; charset=utf-16"), SUBMIT, "charset=utf-16 over UTF-8"),
    twins(
        "xml/charset-agrees",
        post(submit().encode("utf-16")),
        post(submit().encode("utf-16"), "text/xml"),
        "UTF-16 labelled utf-8",
    ),
    refused(
        twins(
            "xml/charset-agrees",
            post(submit("<Subject>~</Subject>").encode().replace(b"~", b"\xff\xff")),
            SUBMIT,
            "bytes of no charset",
        )
    ),
    twins(
        "xml/charset-agrees",
        post('<?xml version="1.0" encoding="windows-1252"?>' + submit(), "text/xml; charset=iso-8859-1"),
        post('<?xml version="1.0" encoding="iso-8859-1"?>' + submit(), "text/xml; charset=iso-8859-1"),
        "charset=iso-8859-1, declared windows-1252",
    ),
    twins(
        "xml/declaration-true",
        post(('<?xml version="1.0" encoding="UTF-8"?>' + submit()).encode("utf-16"), "text/xml; charset=utf-16"),
        post(('<?xml version="1.0" encoding="UTF-16"?>' + submit()).encode("utf-16"), "text/xml; charset=utf-16"),
        "UTF-16 declared as UTF-8",
    ),
    bend("xml/declaration-true", _DECLARED, 'encoding="UTF-8"', 'encoding="UTF-16"'),
    refused(twins("xml/encoding-forbidden", post(submit(), "text/xml; charset=utf-7"), SUBMIT, "charset=utf-7")),
    twins("xml/encoding-forbidden", post(submit(), "text/xml; charset=klingon"), SUBMIT, "charset=klingon"),
    twins(
        "xml/charset-missing",
        post(submit("<Subject>Högt</Subject>"), "text/xml"),
        post("\ufeff" + submit("<Subject>Högt</Subject>"), "text/xml"),
        "text/xml alone, no byte order mark",
    ),
    twins(
        "xml/charset-missing",
        post(submit("<Subject>Högt</Subject>"), "text/xml"),
        post(submit("<Subject>Högt</Subject>"), "application/xml"),
        "text/xml alone with Högt",
    ),
    bend("xml/charset-missing", _TIDE, '; charset="utf-8"', "", shown="text/xml alone with Högt"),
    bend(
        "xml/charset-missing",
        bent(ONE, b"<Content", octets("<Subject>Högt</Subject><Content")),
        "text/xml; charset=utf-8",
        "text/xml",
        shown="a text/xml part alone with Högt",
    ),
    bend(
        "xml/relative-namespace",
        post(submit('<x:a xmlns:x="urn:k"/>')),
        "urn:k",
        "kiosk.xsd",
        "schema/unknown-element xml/relative-namespace",
        shown='xmlns:x="kiosk.xsd"',
    ),
    twins(
        "xml/relative-namespace",
        SUBMIT.replace(b"<env:Envelope", b'<env:Envelope xmlns:k="urn:my kiosk"'),
        SUBMIT.replace(b"<env:Envelope", b'<env:Envelope xmlns:k="urn:kiosk"'),
        'xmlns:k="urn:my kiosk"',
        "http/content-length xml/relative-namespace",
    ),
    twins("xml/limit", _deep(70), _deep(9), "70 elements inside each other"),
    twins("xml/limit", submit("<x/>" * 1001), _deep(1), "1001 unknown elements", "schema/unknown-element xml/limit"),
    # the frame
    twins(
        "soap/envelope-present", plain("SubmitReq", "<MM7Version>5.3.0</MM7Version>", SCHEMA), SUBMIT, "SubmitReq alone"
    ),
    twins("soap/envelope-namespace", every(SUBMIT, "/soap/envelope/", "/soap/encoding/"), SUBMIT, ".../soap/encoding/"),
    twins("soap/envelope-namespace", every(SUBMIT, "/soap/envelope/", "/soap/envelope/ "), SUBMIT, ".../envelope/ "),
    twins("soap/namespace-alias", every(SUBMIT, "/soap/envelope/", "/soap/envelope"), SUBMIT, ".../soap/envelope"),
    twins("soap/envelope-namespace", every(SUBMIT, "env:Body>", "Body>"), SUBMIT, "<Body> without namespace"),
    twins(
        "soap/namespace-alias",
        every(SUBMIT, "http://schemas.xmlsoap", "https://schemas.xmlsoap"),
        SUBMIT,
        "https://schemas.xmlsoap.org/...",
    ),
    twins(
        "soap/version-mismatch",
        every(SUBMIT, "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"),
        SUBMIT,
        "SOAP 1.2",
    ),
    twins(
        "soap/version-mismatch",
        every(SUBMIT, "http://schemas.xmlsoap.org/soap/envelope/", "urn:letter"),
        SUBMIT,
        "urn:letter",
    ),
    refused(twins("soap/structure", enveloped("", _BLOCK), SUBMIT, "an empty Body")),
    refused(
        twins(
            "soap/structure",
            submit().replace("<env:Header", "<env:Fault/><env:Header"),
            SUBMIT,
            "Fault directly in Envelope",
        )
    ),
    refused(twins("soap/structure", submit().replace("</env:Body>", "</env:Body><env:Body/>"), SUBMIT, "two Bodies")),
    refused(twins("soap/structure", submit().replace("Body>", "Bode>"), SUBMIT, "no Body")),
    twins(
        "soap/structure",
        submit().replace(_HEADER, "").replace("</env:Body>", "</env:Body>" + _HEADER),
        SUBMIT,
        "Header after Body",
    ),
    twins("soap/body-one-child", enveloped(_OWN * 2, _BLOCK), SUBMIT, "two SubmitReq"),
    twins(
        "soap/operation-known",
        every(bent(SUBMIT, b"+4670000001", b"0170-123"), "SubmitReq", "GetTideReq"),
        SUBMIT,
        "GetTideReq: nothing is asked of what is in it",
    ),
    twins(
        "xml/limit",
        submit().replace("</env:Header>", "<k/>" * 2001 + "</env:Header>"),
        submit().replace("</env:Header>", "<k/></env:Header>"),
        "2001 header blocks",
    ),
    twins("soap/operation-known", every(SUBMIT, "SubmitReq", "CPID"), SUBMIT, "CPID in the Body"),
    twins("soap/operation-known", every(SUBMIT, "SubmitReq", "GetTideReq"), SUBMIT, "GetTideReq"),
    twins("soap/operation-direction", post(message("SubmitRsp")), SUBMIT, "SubmitRsp in a POST"),
    twins("soap/operation-direction", answer(submit()), SUBMITTED, "SubmitReq in an answer"),
    bend(
        "soap/unknown-mu",
        post(submit().replace("</env:Header>", _FOREIGN)),
        '"0"',
        '"1"',
        shown='<k:Pier env:mustUnderstand="1"/>',
    ),
    bend("soap/mu-value", SUBMIT, 'mustUnderstand="1"', 'mustUnderstand="true"'),
    bend("soap/mu-case", SUBMIT, "env:mustUnderstand", "env:mustunderstand"),
    bend(
        "soap/encoding-style-used",
        SUBMIT,
        "<env:Envelope",
        '<env:Envelope env:encodingStyle="urn:x"',
        shown='env:encodingStyle="urn:x"',
    ),
    # TransactionID
    twins("soap/transaction-present", enveloped(_OWN, ""), SUBMIT, "no TransactionID"),
    twins("soap/transaction-once", enveloped(_OWN, _BLOCK * 2), SUBMIT, "two TransactionIDs"),
    twins(
        "soap/transaction-namespace",
        enveloped(_OWN, transaction(schema=LATE)),
        SUBMIT,
        "REL-6-MM7-1-4 in the Header alone",
    ),
    twins(
        "soap/transaction-namespace",
        submit(f'<Priority xmlns="{NAMESPACE_PREFIX}{LATE}">High</Priority>'),
        SUBMIT,
        "a child of another release",
    ),
    bend("soap/transaction-value", SUBMIT, ">t-1</", "></", shown="<TransactionID/>"),
    bend("soap/transaction-whitespace", SUBMIT, ">t-1</", "> t-1 </", shown="<TransactionID> t-1 </TransactionID>"),
    bend("soap/transaction-mu", SUBMIT, ' env:mustUnderstand="1"', ""),
    twins(
        "soap/transaction-mu-early",
        _EARLY.replace("<h:TransactionID", '<h:TransactionID env:mustUnderstand="1"'),
        _EARLY,
        'mustUnderstand="1" in REL-5-MM7-1-0',
    ),
    bend(
        "soap/transaction-attributes",
        SUBMIT,
        "<h:TransactionID",
        '<h:TransactionID id="a"',
        shown='<TransactionID id="a">',
    ),
    # Fault
    bend("soap/fault-fields", FAULT, "<faultcode>env:Client</faultcode>", ""),
    bend("soap/fault-fields", FAULT, "env:Client", ""),
    twins("soap/fault-fields", every(FAULT, "faultstring>", "env:faultstring>"), FAULT, "<env:faultstring>"),
    bend("soap/fault-fields", FAULT, "<faultstring>Client error</faultstring>", "", shown="no faultstring"),
    bend("soap/fault-fields", FAULT, "<detail>", "<tide/><detail>", shown="<tide/> in the Fault"),
    twins("soap/fault-fields", every(FAULT, "env:Fault>", "Fault>"), FAULT, "Fault outside the SOAP namespace"),
    bend(
        "soap/fault-fields",
        FAULT,
        "<faultcode>env:Client</faultcode><faultstring>Client error</faultstring>",
        "<faultstring>Client error</faultstring><faultcode>env:Client</faultcode>",
        shown="faultstring before faultcode",
    ),
    bend("soap/fault-code-qname", FAULT, "env:Client", "soap:Client"),
    twins(
        "soap/fault-detail",
        answer(enveloped(fault("Address Error"), _BLOCK), 500),
        FAULT,
        "<detail>Address Error</detail>",
    ),
    twins(
        "soap/fault-detail",
        answer(enveloped(fault("").replace("<detail></detail>", ""), _BLOCK), 500),
        FAULT,
        "no detail",
    ),
    twins("soap/body-direct-error", answer(enveloped(_ERROR, _BLOCK), 500), FAULT, "RSErrorRsp in the Body"),
    # namespaces and versions
    twins("ns/alias", every(SUBMIT, f'{SCHEMA}"', f'{SCHEMA} "'), SUBMIT, f"http://www.3gpp.org/.../{SCHEMA} "),
    twins("ns/alias", every(SUBMIT, "http://www.3gpp", "https://www.3gpp"), SUBMIT, "https://www.3gpp.org/..."),
    twins("ns/known", every(SUBMIT, SCHEMA, "REL-6-MM7-6-7"), SUBMIT, "REL-6-MM7-6-7"),
    twins("ns/missing", enveloped(plain("SubmitReq", _INNER, ""), _BLOCK), SUBMIT, "SubmitReq without namespace"),
    twins(
        "ns/children-qualified",
        enveloped(f'<x:SubmitReq xmlns:x="{NAMESPACE_PREFIX}{SCHEMA}">{_INNER}</x:SubmitReq>', _BLOCK),
        SUBMIT,
        "<x:SubmitReq><MM7Version>",
    ),
    twins("ns/rel-5-1-5", submit(schema="REL-5-MM7-1-5"), SUBMIT, "REL-5-MM7-1-5"),
    twins("ns/pre-standard", every(SUBMIT, _CHILD, 'xmlns="urn:MM7Submit.Req"'), SUBMIT, 'xmlns="urn:MM7Submit.Req"'),
    twins("ns/pre-standard", '<MM7SubmitReq xmlns="urn:MM7Submit.Req"/>', SUBMIT, "<MM7SubmitReq>"),
    twins(
        "ns/pre-standard",
        "<MM7SubmitReq><",
        "<",
        "<MM7SubmitReq>, not well-formed",
        "ns/pre-standard http/truncated xml/well-formed",
    ),
    bend("version/present", SUBMIT, "<MM7Version>5.3.0</MM7Version>", ""),
    bend("version/present", SUBMIT, "5.3.0", "", shown="<MM7Version/>"),
    bend("version/listed", SUBMIT, "5.3.0", "5.7.0"),
    bend("version/newest", post(submit(schema=LATE)), "6.8.0", "5.3.0", shown="5.3.0 in REL-6-MM7-1-4"),
    twins(
        "ns/alias",
        bent(
            every(SUBMIT, "http://www.3gpp", "https://www.3gpp"),
            b"</SubmitReq>",
            f'<Priority xmlns="{NAMESPACE_PREFIX}{SCHEMA}">High</Priority></SubmitReq>'.encode(),
        ),
        SUBMIT,
        "https: beside http:",
    ),
)
