"""What a bad clip looks like to an instrument: fitted on planted faults, stored, or shipped."""
