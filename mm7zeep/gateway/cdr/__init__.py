"""Call detail records: what became of each copy, for those who bill and reconcile."""
