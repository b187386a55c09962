"""Operators over rows that come in batches or partitions."""
