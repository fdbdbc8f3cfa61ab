"""What ops see of providers. The rest of what processes count is in streaming/metrics.py."""

from prometheus_client import Counter

PROVIDER_FAILURES = Counter(
    "chatsite_provider_failures_total", "Answers that a provider failed", ["provider", "code"]
)
PROVIDER_OUT = Counter(
    "chatsite_provider_out_total", "Times a provider was taken out of choice", ["provider"]
)
FALLBACKS = Counter(
    "chatsite_fallbacks_total", "Answers of one model in place of another", ["model", "answered_by"]
)
PROVIDER_WAITS = Counter(
    "chatsite_provider_waits_total", "Requests that waited for a place at a provider", ["provider"]
)
CACHE_HITS = Counter("chatsite_cache_hits_total", "Answers that were given again", ["model"])
CACHE_MISSES = Counter(
    "chatsite_cache_misses_total", "Answers that were looked for and not there", ["model"]
)
