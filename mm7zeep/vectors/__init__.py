"""Test vectors: MM7 messages with what is right or wrong about them, as data for any implementation."""
