-- Tokens that programs identify themselves with. Only a digest of each is stored, keyed with a secret of the server's:
-- whoever reads the table has no token, and whoever can write it cannot make one.

CREATE TABLE api_tokens (
  id           uuid PRIMARY KEY,
  user_id      text COLLATE "C" NOT NULL CHECK (char_length(user_id) BETWEEN 1 AND 255),
  name         text COLLATE "C" NOT NULL CHECK (char_length(name) BETWEEN 1 AND 255),
  hash         text COLLATE "C" NOT NULL UNIQUE CHECK (char_length(hash) = 64),
  scopes       text COLLATE "C" NOT NULL,
  created_with uuid REFERENCES api_tokens (id),
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz,
  last_used_at timestamptz,
  revoked_at   timestamptz
);

-- The tokens of a user, and of all, the newest first.
CREATE INDEX api_tokens_user_recent ON api_tokens (user_id, created_at DESC, id DESC);
CREATE INDEX api_tokens_recent ON api_tokens (created_at DESC, id DESC);
-- What was made with a token ends with it.
CREATE INDEX api_tokens_created_with ON api_tokens (created_with);
