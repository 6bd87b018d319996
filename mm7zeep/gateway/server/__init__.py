"""The HTTP/1.1 edge: sockets, protocol, worker processes and their supervisor."""
