"""The front ends: window, command line, agents. They talk HTTP to the indexer and hold no models.

Rooms, each importing only those before it: the loose modules (the line to the indexer, icons,
theme, strings); `system`, `presentation`, `widgets`; `results`, `preview`, `index`, `settings`;
`window` and `terminal`; `app` puts the window's process together.
"""
