"""Answers clients: HTTP, WebSocket and server-sent events, from the token to the last byte."""
