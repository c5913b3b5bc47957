"""Asks what a person has set up before and after tools, turns and sessions: `configured`, or `none`."""
