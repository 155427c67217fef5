"""Small widgets that more than one room uses: the empty state, a row that shows what fits."""
