"""What the console shows and lets a person do, a file per page: each turns nouns into what its template prints.

Whatever a webhook, a desk or Genesys wrote is somebody else's text: it passes `telling.safe` before a template sees it.
"""
