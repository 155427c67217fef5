"""Fitting the ranker to judged questions; offline."""
