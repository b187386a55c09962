"""The operators, one a module: a function, its options and its documentation."""
