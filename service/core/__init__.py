"""The rules of the house: pure, standard library only; no I/O, no clock, no await, no log."""
