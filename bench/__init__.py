"""How fast Haven is, compared in one run with the least that could do the same work under the same server.

`python -m bench.<name>`; everything runs in a temporary folder, on sockets, with a bounded number of requests.
"""
