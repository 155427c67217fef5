"""The state of the index for a person: folders, problems, models, why a file is found or not.

Gives out two dialogs: `panel.IndexPanel` and `explanation_dialog.ExplanationDialog`.
"""
