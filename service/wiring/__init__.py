"""Every object built once, opened in order, closed in reverse; signals; the one clock, the one dice.

Nothing is gathered here: `send` needs the clock and the dice, and should not wait for a web server to be imported.
"""
