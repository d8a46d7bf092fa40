"""Pure arithmetic of a program: no query, no clock, no settings. Time and state are passed in."""
