"""Who the agent says it is."""
