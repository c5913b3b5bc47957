"""The steps of a decision, in the order in which a request meets them; `decision` takes them."""
