"""The database: tables, messages, outbox, and the clock that all of them go by."""
