"""A request comes in: who sends it, whether there is room for it, what it asks, what is stored of it."""
