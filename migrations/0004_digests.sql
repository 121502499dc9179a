-- Windows of a group's talk, and the digests made of them.
CREATE TABLE digest_windows (
    tenant_id bigint NOT NULL REFERENCES tenants,
    id bigint GENERATED ALWAYS AS IDENTITY,
    conversation_id bigint NOT NULL,
    hours smallint NOT NULL CHECK (hours IN (4, 6, 12, 24)),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'processing', 'completed', 'skipped', 'failed')),
    reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, conversation_id, ends_at),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversations
);
SELECT protect('digest_windows', 'SELECT, INSERT, UPDATE');

CREATE TABLE digests (
    tenant_id bigint NOT NULL REFERENCES tenants,
    id bigint GENERATED ALWAYS AS IDENTITY,
    conversation_id bigint NOT NULL,
    trigger text NOT NULL CHECK (trigger IN ('manual', 'scheduled', 'retry')),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
    status text NOT NULL,
    reason text,
    mode text,
    provider text NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversations
);
CREATE INDEX digests_by_chat ON digests (tenant_id, conversation_id, ends_at DESC, id DESC);
SELECT protect('digests', 'SELECT, INSERT, UPDATE');
