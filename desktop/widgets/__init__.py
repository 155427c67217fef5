"""Small widgets that more than one room uses: the empty state, a label and a row that show what
fits, a line to type in, an icon to press, a veil over the window, a question before what can't be
taken back."""
