"""Real engines for the tests, each with a socket, data and a network namespace of its own."""
