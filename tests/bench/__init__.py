"""How fast and how cheap, as ratios against what a user would run instead, in one run."""
