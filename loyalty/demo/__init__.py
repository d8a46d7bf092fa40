"""The demonstration: two programs, four people who can sign in, and a real year of purchases."""
