-- The team and what it works on.
CREATE TABLE projects (
    tenant_id bigint NOT NULL REFERENCES tenants,
    id bigint GENERATED ALWAYS AS IDENTITY,
    slug text NOT NULL CHECK (slug <> ''),
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, slug)
);
SELECT protect('projects', 'SELECT, INSERT, UPDATE');

CREATE TABLE team_members (
    tenant_id bigint NOT NULL REFERENCES tenants,
    id bigint GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL CHECK (name <> ''),
    telegram_user_id bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, telegram_user_id),
    UNIQUE (tenant_id, name)
);
SELECT protect('team_members', 'SELECT, INSERT, UPDATE');

-- A role in one project, or in all of them where project_id is null.
CREATE TABLE memberships (
    tenant_id bigint NOT NULL REFERENCES tenants,
    member_id bigint NOT NULL,
    project_id bigint,
    role text NOT NULL CHECK (role IN ('owner', 'manager', 'operator', 'member')),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (tenant_id, member_id, project_id),
    FOREIGN KEY (tenant_id, member_id) REFERENCES team_members,
    FOREIGN KEY (tenant_id, project_id) REFERENCES projects
);
SELECT protect('memberships', 'SELECT, INSERT, UPDATE, DELETE');
