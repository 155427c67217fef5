"""The window: search line, chips, results, preview, status and first run put together.

`window.Window` is what the application shows. Everything it can do stands once in `actions`;
`commands` does it, through the port in `command_port`, so that it knows no window.
"""
