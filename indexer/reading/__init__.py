"""From a file to units: confined workers extract, then text is cut, given context, looked through
for secrets.
"""
