"""What a policy demands besides the audit, a module a family, each judged on its evidence."""
