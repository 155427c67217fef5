"""NeoMME: a small model that sees pictures, free for any use."""
