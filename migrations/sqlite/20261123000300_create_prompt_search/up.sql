-- Full-text search over title, description and content. The index keeps no texts of its own.
--
-- It numbers what it contains, and the numbers must last. Row numbers of `prompts` do not: VACUUM may change those of a
-- table without an INTEGER PRIMARY KEY. So prompts have numbers here. Whoever rebuilds `prompts` has to make the triggers
-- again.
CREATE TABLE prompt_search_numbers (
  number    INTEGER PRIMARY KEY,
  prompt_id BLOB NOT NULL UNIQUE
) STRICT;

-- Words consist of letters, marks and digits; letters with and without diacritics are different ones.
CREATE VIRTUAL TABLE prompt_search USING fts5 (
  title, description, content,
  content = '', contentless_delete = 1,
  tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N*'"
);

CREATE TRIGGER prompt_search_insert AFTER INSERT ON prompts
BEGIN
  INSERT INTO prompt_search_numbers (prompt_id) VALUES (NEW.id);
  INSERT INTO prompt_search (rowid, title, description, content)
  SELECT number, NEW.title, substr(NEW.description, 1, 50000), substr(NEW.content, 1, 200000)
  FROM prompt_search_numbers WHERE prompt_id = NEW.id;
END;

CREATE TRIGGER prompt_search_update AFTER UPDATE OF id, title, description, content ON prompts
WHEN (NEW.id, NEW.title, NEW.description, NEW.content) IS NOT (OLD.id, OLD.title, OLD.description, OLD.content)
BEGIN
  UPDATE prompt_search_numbers SET prompt_id = NEW.id WHERE prompt_id = OLD.id;
  UPDATE prompt_search
  SET title = NEW.title, description = substr(NEW.description, 1, 50000), content = substr(NEW.content, 1, 200000)
  WHERE rowid = (SELECT number FROM prompt_search_numbers WHERE prompt_id = NEW.id);
END;

CREATE TRIGGER prompt_search_delete AFTER DELETE ON prompts
BEGIN
  DELETE FROM prompt_search WHERE rowid = (SELECT number FROM prompt_search_numbers WHERE prompt_id = OLD.id);
  DELETE FROM prompt_search_numbers WHERE prompt_id = OLD.id;
END;

INSERT INTO prompt_search_numbers (prompt_id) SELECT id FROM prompts;
INSERT INTO prompt_search (rowid, title, description, content)
SELECT number, title, substr(description, 1, 50000), substr(content, 1, 200000)
FROM prompt_search_numbers JOIN prompts ON id = prompt_id;
