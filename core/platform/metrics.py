"""What Prometheus sees of each process. Labels are few and bounded: never a tenant, a chat or a person."""

from prometheus_client import Counter, Gauge, Histogram

INTERACTIONS_STORED = Counter("parley_interactions_total", "Interactions the sink has stored", ["channel", "outcome"])
SINK_SECONDS = Histogram("parley_sink_batch_seconds", "Time of one batch of the sink, commit included")
EVENTS_PUBLISHED = Counter("parley_events_published_total", "Events handed to Redis Streams")
EVENTS_CONSUMED = Counter("parley_events_consumed_total", "Events done", ["consumer"])
EVENTS_FAILED = Counter("parley_events_failed_total", "Tries of a consumer that failed", ["consumer"])
EVENTS_PARKED = Counter("parley_events_parked_total", "Events given up and parked as dead letters", ["consumer"])
JOBS_FINISHED = Counter("parley_jobs_total", "Runs of due jobs", ["kind", "outcome"])
JOB_SECONDS = Histogram("parley_job_seconds", "Time of one run of a due job", ["kind"])
JOBS_WOKEN = Counter("parley_jobs_woken_total", "Wake-ups handed to arq by the sweeper")
LOOP_FAILURES = Counter(
    "parley_loop_failures_total", "Rounds of a background loop that failed and are retried", ["loop"]
)
LOOP_LAST_OK = Gauge("parley_loop_last_success_timestamp_seconds", "When a background loop last got through", ["loop"])
DELIVERIES = Counter("parley_deliveries_total", "Attempts to send, by how they ended", ["outcome"])
DELIVERY_SECONDS = Histogram("parley_delivery_request_seconds", "Time of one request that sends a message")
