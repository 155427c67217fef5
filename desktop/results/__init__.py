"""The list of results: reads answers, keeps rows where they are while stages arrive, paints them.

Gives out `view.ResultsView` over `model.ResultsModel`.
"""
