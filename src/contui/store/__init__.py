"""The only mutable state: what is known of one endpoint, with a revision for every topic."""
