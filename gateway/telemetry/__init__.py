"""What the process tells of itself: metrics to be scraped, and traces sent to a receiver."""
