"""What follows the commit: reports, messages to applications and upstreams, attempts and retries."""
