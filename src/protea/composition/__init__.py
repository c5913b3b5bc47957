"""The only code that knows ports and adapters: names, their choice, and the root that joins them."""
