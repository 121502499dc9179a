-- The bot's front door: what arrives is stored before it is confirmed to Telegram, and done once.
CREATE TABLE bot_updates (
    tenant_id bigint NOT NULL REFERENCES tenants,
    id bigint GENERATED ALWAYS AS IDENTITY,
    bot_id bigint NOT NULL,
    update_id bigint NOT NULL,
    chat_key text NOT NULL,
    payload jsonb NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'parked')),
    attempts int NOT NULL DEFAULT 0,
    error text,
    received_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, bot_id, update_id)
);
CREATE INDEX bot_updates_pending ON bot_updates (tenant_id, bot_id, id) WHERE state = 'pending';
CREATE INDEX bot_updates_settled ON bot_updates (tenant_id, settled_at) WHERE state <> 'pending';
SELECT protect('bot_updates', 'SELECT, INSERT, UPDATE, DELETE');

-- What a person chose in the bot.
CREATE TABLE bot_people (
    tenant_id bigint NOT NULL REFERENCES tenants,
    telegram_user_id bigint NOT NULL,
    language text NOT NULL CHECK (language IN ('ru', 'en')),
    PRIMARY KEY (tenant_id, telegram_user_id)
);
SELECT protect('bot_people', 'SELECT, INSERT, UPDATE');

-- One-time links that make somebody a member; only the hash of a token is kept.
CREATE TABLE invites (
    tenant_id bigint NOT NULL REFERENCES tenants,
    token_hash bytea NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'manager', 'operator', 'member')),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    used_by bigint,
    PRIMARY KEY (tenant_id, token_hash)
);
SELECT protect('invites', 'SELECT, INSERT, UPDATE');
