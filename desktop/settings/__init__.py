"""The settings dialog, made from the settings table, and the page of models."""
