"""A verdict as people and CI systems read it."""
