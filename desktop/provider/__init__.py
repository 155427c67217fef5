"""What desktops' own searches ask: GNOME Shell's overview and KRunner, over the session bus.

A small process that the bus starts (`inkling serve-desktop`) and that ends when nobody has asked
for a while. It talks to the indexer as every face does.
"""
