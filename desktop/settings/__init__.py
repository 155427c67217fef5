"""Settings as a person sees them: the dialog drawn from the settings table, and who tells whom.

The indexer alone owns the settings. `settings_client.SettingsClient` holds their values for the
window, sends the keys that are changed here and follows what is changed elsewhere;
`changing.change_settings` changes keys once, for the command line and at the end of the window.
"""
