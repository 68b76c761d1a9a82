"""Invented texts with exact labels: templates written by hand, filled with invented people, places and figures."""
