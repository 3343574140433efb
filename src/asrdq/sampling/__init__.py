"""Strata, allocation and draws of a sample, and the rates estimated from one."""
