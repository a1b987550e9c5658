"""Requests the paths of each line of standard input, and prints the milliseconds that they took."""

import sys
import time

from requests_cache import CachedSession

origin, cache_name = sys.argv[1], sys.argv[2]
session = CachedSession(cache_name, backend="sqlite", expire_after=3600)
for line in sys.stdin:
    _, *paths = line.split()
    began = time.perf_counter()
    for path in paths:
        response = session.get(origin + path)
        if "json" in response.headers.get("content-type", ""):
            response.json()
    print((time.perf_counter() - began) * 1000, flush=True)
