"""How languages write times where Django's own way does not fit a table."""
