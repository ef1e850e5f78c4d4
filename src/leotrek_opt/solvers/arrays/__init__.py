"""Problems turned into arrays: the only place in the solvers that reads the rules."""
