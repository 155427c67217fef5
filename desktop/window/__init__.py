"""The window's frame: search line, chips, actions and commands, status, onboarding."""
