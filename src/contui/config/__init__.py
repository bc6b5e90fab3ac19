"""The settings of the user: from a TOML file and the environment, typed and checked."""
