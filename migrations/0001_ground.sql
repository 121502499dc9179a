-- The ground: who may touch what. Runs as parley_owner, which owns every table and can log in nowhere.

-- Partitions live here. The application role has no rights in it, so nobody reads a partition past its parent's policy.
CREATE SCHEMA parts;

-- Puts a table under its tenant: row level security on, forced, and the application's rights on it.
-- The owner gets a policy of its own, else a data migration would update 0 rows and report success.
CREATE FUNCTION protect(target regclass, rights text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    -- nullif: a pooled connection keeps '' after its first transaction, and ''::bigint raises.
    EXECUTE format($policy$
        CREATE POLICY tenant ON %s
        USING (tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::bigint))
        WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::bigint))
    $policy$, target);
    EXECUTE format('CREATE POLICY owner ON %s TO parley_owner USING (true) WITH CHECK (true)', target);
    IF rights <> '' THEN
        EXECUTE format('GRANT %s ON %s TO parley_app', rights, target);
    END IF;
END $$;
REVOKE EXECUTE ON FUNCTION protect(regclass, text) FROM PUBLIC;

CREATE SEQUENCE tenant_ids;
GRANT USAGE ON SEQUENCE tenant_ids TO parley_app;

CREATE TABLE tenants (
    tenant_id bigint PRIMARY KEY DEFAULT nextval('tenant_ids'),
    slug text NOT NULL CHECK (slug <> ''),
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
SELECT protect('tenants', 'SELECT, INSERT, UPDATE');

-- What must be found before a tenant is known: a tenant's slug, later bot ids, key hashes, webhook paths. No content.
CREATE TABLE directory (
    kind text NOT NULL,
    key text NOT NULL,
    tenant_id bigint NOT NULL REFERENCES tenants,
    PRIMARY KEY (kind, key)
);
SELECT protect('directory', 'SELECT, INSERT, DELETE');

CREATE FUNCTION directory_find(wanted_kind text, wanted_key text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT tenant_id FROM public.directory WHERE kind = wanted_kind AND key = wanted_key $$;
REVOKE EXECUTE ON FUNCTION directory_find(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION directory_find(text, text) TO parley_app;

-- Only slugs may be listed: other kinds hold things that are as good as keys.
CREATE FUNCTION directory_tenants() RETURNS TABLE (slug text, tenant_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT key, tenant_id FROM public.directory WHERE kind = 'tenant' ORDER BY key $$;
REVOKE EXECUTE ON FUNCTION directory_tenants() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION directory_tenants() TO parley_app;

-- What waits for a moment: the one table that sweepers read across tenants, and all that they may read.
CREATE TABLE due (
    tenant_id bigint NOT NULL REFERENCES tenants,
    kind text NOT NULL,
    row_id bigint NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, kind, row_id)
);
CREATE INDEX due_by_time ON due (kind, due_at);
SELECT protect('due', 'SELECT, INSERT, UPDATE, DELETE');
CREATE POLICY sweep ON due FOR SELECT TO parley_sweep USING (true);
GRANT SELECT ON due TO parley_sweep;

-- Events, written in the transaction of the rows they speak of.
CREATE TABLE outbox (
    tenant_id bigint NOT NULL REFERENCES tenants,
    id bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL,
    subject_id bigint NOT NULL,
    payload jsonb NOT NULL,
    correlation_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX outbox_by_age ON outbox (tenant_id, created_at);
SELECT protect('outbox', 'SELECT, INSERT, UPDATE, DELETE');

-- Which consumer has done which event: makes effects happen once, and tells the relay what Redis lost.
CREATE TABLE event_receipts (
    tenant_id bigint NOT NULL,
    event_id bigint NOT NULL,
    consumer text NOT NULL,
    done_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, event_id, consumer),
    FOREIGN KEY (tenant_id, event_id) REFERENCES outbox ON DELETE CASCADE
);
SELECT protect('event_receipts', 'SELECT, INSERT, DELETE');

CREATE TABLE jobs (
    tenant_id bigint NOT NULL REFERENCES tenants,
    id bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL,
    key text,
    args jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'running', 'done', 'dead', 'cancelled')),
    due_at timestamptz NOT NULL,
    every interval,
    attempts int NOT NULL DEFAULT 0,
    holder text,
    lease_until timestamptz,
    fence bigint NOT NULL DEFAULT 0,
    triggered_by text,
    correlation_id text,
    last_error text,
    started_at timestamptz,
    finished_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
-- A keyed job is there once while it lives; when it has ended the key is free again.
CREATE UNIQUE INDEX jobs_live_key ON jobs (tenant_id, kind, key) WHERE state IN ('due', 'running');
CREATE INDEX jobs_by_state ON jobs (tenant_id, state, kind, due_at);
SELECT protect('jobs', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE job_pauses (
    tenant_id bigint NOT NULL REFERENCES tenants,
    kind text NOT NULL,
    paused_by text NOT NULL,
    paused_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, kind)
);
SELECT protect('job_pauses', 'SELECT, INSERT, DELETE');

CREATE TABLE leases (
    tenant_id bigint NOT NULL REFERENCES tenants,
    name text NOT NULL,
    holder text NOT NULL,
    fence bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, name)
);
SELECT protect('leases', 'SELECT, INSERT, UPDATE, DELETE');

-- Dead ends that a person should see.
CREATE TABLE dead_letters (
    tenant_id bigint NOT NULL REFERENCES tenants,
    id bigint GENERATED ALWAYS AS IDENTITY,
    origin text NOT NULL,
    kind text NOT NULL,
    row_id bigint NOT NULL,
    error text NOT NULL,
    attempts int NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX dead_letters_open ON dead_letters (tenant_id, origin, kind, row_id) WHERE resolved_at IS NULL;
SELECT protect('dead_letters', 'SELECT, INSERT, UPDATE');

-- Who did what. Ids and hashes only; the application may add and read, never change.
CREATE TABLE audit_log (
    tenant_id bigint NOT NULL REFERENCES tenants,
    id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    details jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, id)
);
SELECT protect('audit_log', 'SELECT, INSERT');

CREATE TABLE secrets (
    tenant_id bigint NOT NULL REFERENCES tenants,
    name text NOT NULL,
    ciphertext bytea NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, name)
);
SELECT protect('secrets', 'SELECT, INSERT, UPDATE, DELETE');

-- Settings that change while the product runs; a missing row means the default that ships with the code.
CREATE TABLE policies (
    tenant_id bigint NOT NULL REFERENCES tenants,
    name text NOT NULL,
    value jsonb NOT NULL,
    version int NOT NULL DEFAULT 1,
    updated_by text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, name)
);
SELECT protect('policies', 'SELECT, INSERT, UPDATE, DELETE');
