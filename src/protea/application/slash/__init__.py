"""What each slash command does: a function that is given a `Call` and returns an `Answer`. `application.slash_commands`
has the row of each. They know the gateway and nothing behind it: what one changes it submits, what it tells it asks
`describe` for.
"""
