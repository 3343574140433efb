"""Ledgers: tables that only grow, each entry holding the hash of the one before."""
