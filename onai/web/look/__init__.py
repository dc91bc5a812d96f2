"""How pages look, whatever they say: charts, the theme, and the icon on a phone's home screen."""
