"""What an answer costs, measured: the whole gateway beside Strawberry as its documents say, over the same nginx."""
