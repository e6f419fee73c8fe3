"""The demo: a whole plant in one process, for a first look at what one query over several systems gives."""
