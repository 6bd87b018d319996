"""Who may be called and who calls: outbound guard, client addresses, rates."""
