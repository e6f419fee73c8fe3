"""Keys and what they protect: sealed secrets, tokens and their digests."""
