"""From records to numbers, with names that survive.

A *feature* is one column of the matrix a detector sees; it knows the user's column it came from. Missing numbers are
NaN and missing or unseen categories are codes of their own: missingness is information, never zero.
"""
