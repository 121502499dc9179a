-- The ledger of everything that leaves: one row for each part of a message, sent once or visibly not.

-- A lane is the queue of one account to one destination; its rows go out one by one. `due` names lanes, not rows, so
-- that ten thousand messages for one slow chat do not stand before the one message for another.
CREATE TABLE delivery_lanes (
    tenant_id bigint NOT NULL REFERENCES tenants,
    id bigint GENERATED ALWAYS AS IDENTITY,
    account text NOT NULL,
    destination text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, account, destination)
);
SELECT protect('delivery_lanes', 'SELECT, INSERT, UPDATE');

CREATE TABLE deliveries (
    tenant_id bigint NOT NULL REFERENCES tenants,
    id bigint GENERATED ALWAYS AS IDENTITY,
    lane_id bigint NOT NULL,
    origin text NOT NULL,
    part int NOT NULL CHECK (part >= 0),
    body jsonb NOT NULL,
    body_hash bytea NOT NULL,
    check_kind text NOT NULL,
    policy_version text NOT NULL,
    state text NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'unknown', 'cancelled', 'rejected')),
    order_at timestamptz NOT NULL,  -- when it was ordered for: its place in the lane
    due_at timestamptz NOT NULL,    -- when to look at it next; infinity: a person must
    attempts int NOT NULL DEFAULT 0,
    holder text,
    fence bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    random_id bigint NOT NULL,
    remote_id text,
    error_code text,
    error text,
    begun_at timestamptz,
    settled_at timestamptz,
    correlation_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, origin, part),
    FOREIGN KEY (tenant_id, lane_id) REFERENCES delivery_lanes
);
-- A message at the service settles one row at most.
CREATE UNIQUE INDEX deliveries_remote ON deliveries (tenant_id, lane_id, remote_id) WHERE remote_id IS NOT NULL;
CREATE INDEX deliveries_queue ON deliveries (tenant_id, lane_id, order_at, id) WHERE state IN ('queued', 'sending', 'unknown');
-- What waits for a person.
CREATE INDEX deliveries_waiting ON deliveries (tenant_id, id) WHERE state IN ('unknown', 'failed', 'rejected');
-- What a budget is rebuilt from.
CREATE INDEX deliveries_begun ON deliveries (tenant_id, begun_at) WHERE begun_at IS NOT NULL;
SELECT protect('deliveries', 'SELECT, INSERT, UPDATE');
