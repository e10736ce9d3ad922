"""How fast it is: every figure against something else in the same run. No test passes or fails by it."""
