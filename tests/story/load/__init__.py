"""A sender of many webhooks, in a process of its own: what it does would else be counted against what it measures.

`lines.py` knows how one connection speaks, `streams.py` how many webhooks come and when, `slow.py` who begins and never
ends; `__main__.py` plays one part after the other. What is measured is judged by who started it.
"""
