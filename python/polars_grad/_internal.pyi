DEBUG: bool
