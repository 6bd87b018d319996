"""Kinds of findings about content that was made to fit a carrier's limits; one row per kind, sorted by id."""

from __future__ import annotations

from mm7zeep.findings.kind import Kind

ROWS = (
    Kind('fit/animation', 'INFO', None, 'operator limit', 'an animation lost frames, pixels or colours', 'send a shorter or smaller one', needs='fit'),
    Kind('fit/coded', 'INFO', None, 'operator limit', 'a picture was coded anew', 'none is needed', needs='fit'),
    Kind('fit/colours', 'INFO', None, 'common practice', 'a picture was brought to sRGB with eight bits', 'none is needed', needs='fit'),
    Kind('fit/converted', 'INFO', None, 'operator limit', 'a part is of another media type than it was', 'send JPEG, PNG or GIF', needs='fit'),
    Kind('fit/media', 'MUST', None, 'operator limit', 'the carrier takes parts of this media type', 'send another type', needs='fit'),
    Kind('fit/metadata', 'INFO', None, 'common practice', 'what a picture says of place, time, device and author was left out', 'none is needed', needs='fit'),
    Kind('fit/reference', 'INFO', None, 'RFC 2557', 'the presentation names a part by its new name', 'none is needed', needs='fit'),
    Kind('fit/refused', 'MUST', None, 'operator limit', 'the part can be made to fit', 'send a smaller one', needs='fit'),
    Kind('fit/repacked', 'INFO', None, 'operator limit', 'a picture has fewer octets and the same pixels', 'none is needed', needs='fit'),
    Kind('fit/scaled', 'INFO', None, 'operator limit', 'a picture has fewer pixels than it had', 'none is needed', needs='fit'),
    Kind('fit/size', 'INFO', None, 'operator limit', 'a part has another size than it had', 'none is needed', needs='fit'),
    Kind('fit/truncated', 'SHOULD', None, 'common practice', 'a picture was cut off; what is there of it goes', 'send the whole file', needs='fit'),
    Kind('fit/turned', 'INFO', None, 'EXIF 2.3 4.6.4', 'a picture was turned upright', 'none is needed', needs='fit'),
)
