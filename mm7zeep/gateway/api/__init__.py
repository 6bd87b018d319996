"""The JSON API: programs send messages and hear what became of them without a word of MM7."""
