"""Where the fields of the messages stand in the envelope, and which codec carries each: tables.

A field without an entry stands in the element of its name in capitals, as text.
"""

from __future__ import annotations

from collections.abc import Mapping

from mm7zeep.envelope import values

# field -> element names in the order of preference, where a namespace has one or another
_PATHS: Mapping[str, tuple[str, ...]] = {
    "vaspid": ("SenderIdentification/VASPID", "VASPID"),
    "vasid": ("SenderIdentification/VASID", "VASID"),
    "sender_address": ("SenderIdentification/SenderAddress",),
    "date": ("Date", "TimeStamp"),
    "distribution_indicator": ("DistributionIndicator", "DistributionProtection"),
    "mm7_version": ("MM7Version",),
    "mms_relay_server_id": ("MMSRelayServerID",),
    "message_id": ("MessageID",),
    "linked_id": ("LinkedID",),
    "charged_party_id": ("ChargedPartyID",),
    "applic_id": ("ApplicID",),
    "reply_applic_id": ("ReplyApplicID",),
    "sender_spi": ("SenderSPI",),
    "recipient_spi": ("RecipientSPI",),
    "reply_charging_id": ("ReplyChargingID",),
    "ua_capabilities": ("UACapabilities",),
    "drm_content": ("DRMContent",),
    "mm_status": ("MMStatus",),
    "mm_status_extension": ("MMStatusExtension",),
    "cancel_id": ("CancelID",),
    "replace_id": ("ReplaceID",),
}
CODECS: Mapping[str, values.Codec] = {
    **dict.fromkeys(("time_stamp", "date", "earliest_delivery_time", "expiry_date"), values.MOMENT),
    **dict.fromkeys(("delivery_report", "read_reply", "distribution_indicator", "drm_content"), values.BOOL),
    **dict.fromkeys(("sender_address", "sender", "recipient"), values.ADDRESS),
    "status": values.STATUS,
    "delivery_condition": values.CONDITION,
    "reply_charging": values.CHARGING,
    "ua_capabilities": values.CAPABILITIES,
}
# what is no element with a value, and has a place of its own in ``arguments``
APART = frozenset(
    {
        "to",
        "cc",
        "bcc",
        "previously_sent",
        "content_href",
        "allow_adaptations",
        "parts",
        "extensions",
        "unparsed",
        "service_code_attributes",
    }
)

NO_MESSAGE_ID = "-"  # what stands for "none" in a refusal in REL-5-MM7-1-1


def paths(name: str) -> tuple[str, ...]:
    """The element paths that the message field ``name`` may stand in."""
    return _PATHS.get(name) or ("".join(word.capitalize() for word in name.split("_")),)
