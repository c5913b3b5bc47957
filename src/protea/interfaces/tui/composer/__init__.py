"""Where a person writes: the text and what keys do to it (`buffer`), and its drawing (`editor`)."""
