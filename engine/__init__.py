"""The engine understands and finds. It gives out `Engine` (add, remove, search): its front door.

Importing it is cheap: faces import `engine.contract` and must not load LanceDB with it.
"""
