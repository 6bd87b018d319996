"""What a gateway takes beyond what can be read, judged by one message itself: form, recipients, content."""
