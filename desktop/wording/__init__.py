"""How the window speaks: its language, numbers and days in it, what others say in it."""
