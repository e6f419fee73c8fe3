"""Many systems at once: fan-out, merge, links and the GraphQL roots."""
