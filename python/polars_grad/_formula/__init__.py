"""Derivatives of formulas: an expression is read into a tree, differentiated, and written back as an expression."""
