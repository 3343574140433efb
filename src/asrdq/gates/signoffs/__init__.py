"""Sign-offs: what a person accepted, what it is bound to, and what changed since."""
