"""Data that ships with Inkling: icons, ignore defaults, the sample library."""
