-- Who has changed what, when and from where: one entry for each transaction that changed something, written by that
-- transaction. No value of an input is in it.

CREATE TABLE audit_log (
  id             uuid PRIMARY KEY,
  created_at     timestamptz NOT NULL,
  user_id        text COLLATE "C" NOT NULL,
  is_admin       boolean NOT NULL,
  -- What the user showed who they are with; never the secret itself.
  credential     text NOT NULL,
  origin         text COLLATE "C" NOT NULL CHECK (origin IN ('request', 'command')),
  -- The field of the mutation, or the command.
  action         text COLLATE "C" NOT NULL,
  -- The first of the objects, each as its kind and its id; all of them are in `audit_log_objects`.
  objects        jsonb NOT NULL CHECK (jsonb_typeof(objects) = 'array'),
  object_count   bigint NOT NULL CHECK (object_count > 0),
  request_id     text,
  client_address text,
  user_agent     text
);
CREATE INDEX audit_log_recent ON audit_log (created_at DESC, id DESC);
CREATE INDEX audit_log_user_recent ON audit_log (user_id, created_at DESC, id DESC);
CREATE INDEX audit_log_action_recent ON audit_log (action, created_at DESC, id DESC);

-- What an object was changed by.
CREATE TABLE audit_log_objects (
  object_id uuid NOT NULL,
  entry_id  uuid NOT NULL REFERENCES audit_log (id) ON DELETE CASCADE,
  PRIMARY KEY (object_id, entry_id)
);
CREATE INDEX audit_log_objects_entry ON audit_log_objects (entry_id);
