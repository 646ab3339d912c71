-- Tokens that programs identify themselves with. Only a digest of each is stored, keyed with a secret of the server's:
-- whoever reads the table has no token, and whoever can write it cannot make one.

CREATE TABLE api_tokens (
  id           BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  user_id      TEXT NOT NULL CHECK (length(user_id) BETWEEN 1 AND 255),
  name         TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  hash         TEXT NOT NULL UNIQUE CHECK (length(hash) = 64),
  scopes       TEXT NOT NULL,
  created_with BLOB REFERENCES api_tokens (id),
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER,
  last_used_at INTEGER,
  revoked_at   INTEGER
) STRICT;

-- The tokens of a user, and of all, the newest first.
CREATE INDEX api_tokens_user_recent ON api_tokens (user_id, created_at DESC, id DESC);
CREATE INDEX api_tokens_recent ON api_tokens (created_at DESC, id DESC);
-- What was made with a token ends with it.
CREATE INDEX api_tokens_created_with ON api_tokens (created_with);
