"""The languages that systems speak: requests and pages, without any input or output."""
