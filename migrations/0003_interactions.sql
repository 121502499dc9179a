-- The spine: where things come from, the threads they form, and the things themselves.
CREATE TABLE sources (
    tenant_id bigint NOT NULL REFERENCES tenants,
    id bigint GENERATED ALWAYS AS IDENTITY,
    project_id bigint NOT NULL,
    service text NOT NULL,
    account text NOT NULL,
    mode text NOT NULL DEFAULT 'import',
    state text NOT NULL DEFAULT 'ok',
    secret_name text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, service, account),
    FOREIGN KEY (tenant_id, project_id) REFERENCES projects
);
SELECT protect('sources', 'SELECT, INSERT, UPDATE');

CREATE TABLE conversations (
    tenant_id bigint NOT NULL REFERENCES tenants,
    id bigint GENERATED ALWAYS AS IDENTITY,
    project_id bigint NOT NULL,
    channel text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('desk', 'group', 'record')),
    service text NOT NULL,
    thread_key text NOT NULL,
    title text NOT NULL,
    username text,
    titled_at timestamptz NOT NULL,
    status text CHECK (status IN ('new', 'assigned', 'in_progress', 'waiting_customer', 'resolved', 'closed', 'reopened', 'snoozed')),
    interaction_count bigint NOT NULL DEFAULT 0,
    last_at timestamptz,
    last_interaction_id bigint,
    preview text NOT NULL DEFAULT '' CHECK (char_length(preview) <= 120),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, channel, thread_key),
    FOREIGN KEY (tenant_id, project_id) REFERENCES projects,
    CHECK ((kind = 'desk') = (status IS NOT NULL))
);
CREATE INDEX conversations_inbox ON conversations (tenant_id, kind, last_at DESC, id DESC) WHERE last_at IS NOT NULL;
CREATE INDEX conversations_by_last ON conversations (tenant_id, last_at DESC, id DESC) WHERE last_at IS NOT NULL;
SELECT protect('conversations', 'SELECT, INSERT, UPDATE');

-- Which sources feed a conversation, how far each has come, and whose numbers its messages carry.
CREATE TABLE conversation_sources (
    tenant_id bigint NOT NULL REFERENCES tenants,
    conversation_id bigint NOT NULL,
    source_id bigint NOT NULL,
    id_space text NOT NULL,
    newest_id bigint,
    as_of timestamptz NOT NULL,
    cursor jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, conversation_id, source_id),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversations,
    FOREIGN KEY (tenant_id, source_id) REFERENCES sources
);
SELECT protect('conversation_sources', 'SELECT, INSERT, UPDATE');

-- Narrow: a list never reads the text table. One level of partitions, by channel (Citus refuses two).
CREATE TABLE interactions (
    tenant_id bigint NOT NULL,
    channel text NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    conversation_id bigint NOT NULL,
    kind text NOT NULL,
    direction text NOT NULL CHECK (direction IN ('in', 'out')),
    id_space text NOT NULL,
    external_id text NOT NULL,
    occurred_at timestamptz NOT NULL,
    edited_at timestamptz,
    deleted_at timestamptz,
    observed_at timestamptz NOT NULL,
    author_id text,
    author_name text,
    reply_to text,
    customer_id text,
    order_id text,
    nm_id bigint,
    product_article text,
    rating smallint,
    thread_known boolean NOT NULL,
    preview text NOT NULL CHECK (char_length(preview) <= 120),
    inserted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, channel, id),
    UNIQUE (tenant_id, channel, id_space, external_id),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversations
) PARTITION BY LIST (channel);

CREATE TABLE parts.interactions_review PARTITION OF interactions FOR VALUES IN ('review');
CREATE TABLE parts.interactions_question PARTITION OF interactions FOR VALUES IN ('question');
CREATE TABLE parts.interactions_chat PARTITION OF interactions FOR VALUES IN ('chat');
CREATE TABLE parts.interactions_group PARTITION OF interactions FOR VALUES IN ('group');
CREATE TABLE parts.interactions_email PARTITION OF interactions FOR VALUES IN ('email');
CREATE TABLE parts.interactions_crm PARTITION OF interactions FOR VALUES IN ('crm');
CREATE TABLE parts.interactions_other PARTITION OF interactions DEFAULT;

CREATE INDEX interactions_timeline ON interactions (tenant_id, conversation_id, occurred_at, id);
CREATE INDEX interactions_inbox ON interactions (tenant_id, occurred_at DESC, id DESC);
CREATE INDEX interactions_deleted ON interactions (tenant_id, deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX interactions_customer ON interactions (tenant_id, customer_id, occurred_at) WHERE customer_id IS NOT NULL;
CREATE INDEX interactions_order ON interactions (tenant_id, order_id) WHERE order_id IS NOT NULL;
CREATE INDEX interactions_product ON interactions (tenant_id, nm_id, occurred_at) WHERE nm_id IS NOT NULL;

SELECT protect('interactions', 'SELECT, INSERT, UPDATE');
-- Partitions inherit neither the policy nor its being forced.
SELECT protect(inhrelid::regclass, '') FROM pg_inherits WHERE inhparent = 'interactions'::regclass;

-- No foreign key to interactions: it halves the sink (measured); one transaction writes both, `parley doctor` compares.
CREATE TABLE interaction_content (
    tenant_id bigint NOT NULL,
    channel text NOT NULL,
    interaction_id bigint NOT NULL,
    text text NOT NULL,
    entities jsonb,
    media jsonb,
    extra jsonb,
    PRIMARY KEY (tenant_id, channel, interaction_id)
);
SELECT protect('interaction_content', 'SELECT, INSERT, UPDATE');

-- Every known version of a text that is not the newest one.
CREATE TABLE interaction_revisions (
    tenant_id bigint NOT NULL,
    channel text NOT NULL,
    interaction_id bigint NOT NULL,
    version_at timestamptz NOT NULL,
    text_hash bytea NOT NULL,
    text text NOT NULL,
    entities jsonb,
    PRIMARY KEY (tenant_id, channel, interaction_id, version_at, text_hash)
);
SELECT protect('interaction_revisions', 'SELECT, INSERT, DELETE');

-- Deletions that came before their message, or without it: the message will be stored as deleted.
CREATE TABLE interaction_tombstones (
    tenant_id bigint NOT NULL REFERENCES tenants,
    channel text NOT NULL,
    id_space text NOT NULL,
    external_id text NOT NULL,
    deleted_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, channel, id_space, external_id)
);
SELECT protect('interaction_tombstones', 'SELECT, INSERT');

-- Until a table is first analyzed the planner guesses, and keeps a guess made for ten rows while an import adds a million.
-- Autovacuum comes a minute later; a sink asks for it as its tables grow. Looks only at tables that doubled since.
CREATE FUNCTION refresh_statistics() RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    target regclass;
    done int := 0;
BEGIN
    FOR target IN
        SELECT c.oid FROM pg_class c
        WHERE c.oid IN ('public.interaction_content'::regclass, 'public.conversations'::regclass,
                        'public.interaction_revisions'::regclass, 'public.conversation_sources'::regclass)
           OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'public.interactions'::regclass)
        ORDER BY c.oid
    LOOP
        IF (SELECT pg_relation_size(oid) > 0 AND (reltuples < 0 OR pg_relation_size(oid) > 2 * 8192 * relpages::bigint)
            FROM pg_class WHERE oid = target) THEN
            EXECUTE format('ANALYZE (SKIP_LOCKED) %s', target);
            done := done + 1;
        END IF;
    END LOOP;
    RETURN done;
END $$;
REVOKE EXECUTE ON FUNCTION refresh_statistics() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION refresh_statistics() TO parley_app;
