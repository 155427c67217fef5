"""How what the indexer says is shown to people: kinds, paths, passages, matches, syntax colours.

No widgets: functions and tables that the rooms of the window share (`kinds`, `paths`, `passage`,
`matches`, `highlight`) and the small pictures of files (`thumbnails`), all of them below `results`
and `preview`.
"""
