"""What a result looks like: picture, page or text with the evidence marked.

Gives out `pane.PreviewPane`, and `quick_look.QuickLook`, the same in large.
"""
