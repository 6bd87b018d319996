"""What comes in: dumps (``capture``), HAR files (``har``), network recordings (``pcap``: ``frames``, ``streams``).

``traffic`` is what the recordings give, ``foreign`` says what a file is that is none of them. Opens no file, judges no
message.
"""
