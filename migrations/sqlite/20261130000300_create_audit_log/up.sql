-- Who has changed what, when and from where: one entry for each transaction that changed something, written by that
-- transaction. No value of an input is in it.

CREATE TABLE audit_log (
  id             BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  created_at     INTEGER NOT NULL,
  user_id        TEXT NOT NULL,
  is_admin       INTEGER NOT NULL CHECK (is_admin IN (0, 1)),
  -- What the user showed who they are with; never the secret itself.
  credential     TEXT NOT NULL,
  origin         TEXT NOT NULL CHECK (origin IN ('request', 'command')),
  -- The field of the mutation, or the command.
  action         TEXT NOT NULL,
  -- The first of the objects, each as its kind and its id; all of them are in `audit_log_objects`.
  objects        TEXT NOT NULL CHECK (json_type(objects) = 'array'),
  object_count   INTEGER NOT NULL CHECK (object_count > 0),
  request_id     TEXT,
  client_address TEXT,
  user_agent     TEXT
) STRICT;
CREATE INDEX audit_log_recent ON audit_log (created_at DESC, id DESC);
CREATE INDEX audit_log_user_recent ON audit_log (user_id, created_at DESC, id DESC);
CREATE INDEX audit_log_action_recent ON audit_log (action, created_at DESC, id DESC);

-- What an object was changed by.
CREATE TABLE audit_log_objects (
  object_id BLOB NOT NULL,
  entry_id  BLOB NOT NULL REFERENCES audit_log (id) ON DELETE CASCADE,
  PRIMARY KEY (object_id, entry_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_log_objects_entry ON audit_log_objects (entry_id);
