"""Where it is written down what was decided and what was run."""
