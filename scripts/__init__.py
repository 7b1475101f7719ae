"""Commands for people who run Rapport."""
