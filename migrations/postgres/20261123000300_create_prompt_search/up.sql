-- Full-text search over title, description and content. Words are what SQLite's tokenizer takes for words, so that both
-- databases find the same, and not what PostgreSQL's parser does: that one leaves out whatever looks like a tag, takes
-- paths and addresses for one word each, and knows about 256 places of a word and 16,383 places of a text alone.
--
-- The bodies are parsed now and refer to one another by number, so they work under any search_path, as in a restored dump.

-- Lower case, and one form of letters that have two lower ones.
CREATE FUNCTION search_fold(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN replace(replace(replace(lower(value COLLATE "default"), 'ς', 'σ'), 'ſ', 's'), 'µ', 'μ');

-- The words of a text, each between single spaces. The characters are those of src/domain/search/separators.rs.
CREATE FUNCTION search_spaced(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ' ' || regexp_replace(
  search_fold(value),
  '[\u0001-\u002F\u003A-\u0040\u005B-\u0060\u007B-\u00A9\u00AB-\u00B1\u00B4\u00B6-\u00B8\u00BB\u00BF\u00D7\u00F7'
  '\u02C2-\u02C5\u02D2-\u02DF\u02E5-\u02EB\u02ED\u02EF-\u02FF\u0375\u037E\u0384-\u0385\u0387\u03F6\u0482'
  '\u055A-\u055F\u0589-\u058A\u058F\u05BE\u05C0\u05C3\u05C6\u05F3-\u05F4\u0600-\u0604\u0606-\u060F\u061B'
  '\u061E-\u061F\u066A-\u066D\u06D4\u06DD-\u06DE\u06E9\u06FD-\u06FE\u0700-\u070D\u070F\u07F6-\u07F9\u0830-\u083E'
  '\u085E\u0964-\u0965\u0970\u09F2-\u09F3\u09FA-\u09FB\u0AF0-\u0AF1\u0B70\u0BF3-\u0BFA\u0C7F\u0D79\u0DF4\u0E3F'
  '\u0E4F\u0E5A-\u0E5B\u0F01-\u0F17\u0F1A-\u0F1F\u0F34\u0F36\u0F38\u0F3A-\u0F3D\u0F85\u0FBE-\u0FC5\u0FC7-\u0FCC'
  '\u0FCE-\u0FDA\u104A-\u104F\u109E-\u109F\u10FB\u1360-\u1368\u1390-\u1399\u1400\u166D-\u166E\u1680\u169B-\u169C'
  '\u16EB-\u16ED\u1735-\u1736\u17D4-\u17D6\u17D8-\u17DB\u1800-\u180A\u180E\u1940\u1944-\u1945\u19DE-\u19FF'
  '\u1A1E-\u1A1F\u1AA0-\u1AA6\u1AA8-\u1AAD\u1B5A-\u1B6A\u1B74-\u1B7C\u1BFC-\u1BFF\u1C3B-\u1C3F\u1C7E-\u1C7F'
  '\u1CC0-\u1CC7\u1CD3\u1FBD\u1FBF-\u1FC1\u1FCD-\u1FCF\u1FDD-\u1FDF\u1FED-\u1FEF\u1FFD-\u1FFE\u2000-\u2064'
  '\u206A-\u206F\u207A-\u207E\u208A-\u208E\u20A0-\u20B9\u2100-\u2101\u2103-\u2106\u2108-\u2109\u2114\u2116-\u2118'
  '\u211E-\u2123\u2125\u2127\u2129\u212E\u213A-\u213B\u2140-\u2144\u214A-\u214D\u214F\u2190-\u23F3\u2400-\u2426'
  '\u2440-\u244A\u249C-\u24E9\u2500-\u26FF\u2701-\u2775\u2794-\u2B4C\u2B50-\u2B59\u2CE5-\u2CEA\u2CF9-\u2CFC'
  '\u2CFE-\u2CFF\u2D70\u2E00-\u2E2E\u2E30-\u2E3B\u2E80-\u2E99\u2E9B-\u2EF3\u2F00-\u2FD5\u2FF0-\u2FFB\u3000-\u3004'
  '\u3008-\u3020\u3030\u3036-\u3037\u303D-\u303F\u309B-\u309C\u30A0\u30FB\u3190-\u3191\u3196-\u319F\u31C0-\u31E3'
  '\u3200-\u321E\u322A-\u3247\u3250\u3260-\u327F\u328A-\u32B0\u32C0-\u32FE\u3300-\u33FF\u4DC0-\u4DFF\uA490-\uA4C6'
  '\uA4FE-\uA4FF\uA60D-\uA60F\uA673\uA67E\uA6F2-\uA6F7\uA700-\uA716\uA720-\uA721\uA789-\uA78A\uA828-\uA82B'
  '\uA836-\uA839\uA874-\uA877\uA8CE-\uA8CF\uA8F8-\uA8FA\uA92E-\uA92F\uA95F\uA9C1-\uA9CD\uA9DE-\uA9DF\uAA5C-\uAA5F'
  '\uAA77-\uAA79\uAADE-\uAADF\uAAF0-\uAAF1\uABEB\uE000\uF8FF\uFB29\uFBB2-\uFBC1\uFD3E-\uFD3F\uFDFC-\uFDFD'
  '\uFE10-\uFE19\uFE30-\uFE52\uFE54-\uFE66\uFE68-\uFE6B\uFEFF\uFF01-\uFF0F\uFF1A-\uFF20\uFF3B-\uFF40\uFF5B-\uFF65'
  '\uFFE0-\uFFE6\uFFE8-\uFFEE\uFFF9-\uFFFF\U00010100-\U00010102\U00010137-\U0001013F\U00010179-\U00010189'
  '\U00010190-\U0001019B\U000101D0-\U000101FC\U0001039F\U000103D0\U00010857\U0001091F\U0001093F'
  '\U00010A50-\U00010A58\U00010A7F\U00010B39-\U00010B3F\U00011047-\U0001104D\U000110BB-\U000110C1'
  '\U00011140-\U00011143\U000111C5-\U000111C8\U00012470-\U00012473\U0001D000-\U0001D0F5\U0001D100-\U0001D126'
  '\U0001D129-\U0001D164\U0001D16A-\U0001D16C\U0001D173-\U0001D17A\U0001D183-\U0001D184\U0001D18C-\U0001D1A9'
  '\U0001D1AE-\U0001D1DD\U0001D200-\U0001D241\U0001D245\U0001D300-\U0001D356\U0001D6C1\U0001D6DB\U0001D6FB'
  '\U0001D715\U0001D735\U0001D74F\U0001D76F\U0001D789\U0001D7A9\U0001D7C3\U0001EEF0-\U0001EEF1'
  '\U0001F000-\U0001F02B\U0001F030-\U0001F093\U0001F0A0-\U0001F0AE\U0001F0B1-\U0001F0BE\U0001F0C1-\U0001F0CF'
  '\U0001F0D1-\U0001F0DF\U0001F110-\U0001F12E\U0001F130-\U0001F16B\U0001F170-\U0001F19A\U0001F1E6-\U0001F202'
  '\U0001F210-\U0001F23A\U0001F240-\U0001F248\U0001F250-\U0001F251\U0001F300-\U0001F320\U0001F330-\U0001F335'
  '\U0001F337-\U0001F37C\U0001F380-\U0001F393\U0001F3A0-\U0001F3C4\U0001F3C6-\U0001F3CA\U0001F3E0-\U0001F3F0'
  '\U0001F400-\U0001F43E\U0001F440\U0001F442-\U0001F4F7\U0001F4F9-\U0001F4FC\U0001F500-\U0001F53D'
  '\U0001F540-\U0001F543\U0001F550-\U0001F567\U0001F5FB-\U0001F640\U0001F645-\U0001F64F\U0001F680-\U0001F6C5'
  '\U0001F700-\U0001F773\U000E0001\U000E0020-\U000E007F\U000F0000\U000FFFFD]+',
  ' ', 'g'
) || ' ';

-- What is searched of a prompt: where a text ends there are two spaces, so that no phrase goes on from one to the next.
-- So many characters have at most 1 MB of words, which is the most that a tsvector can hold.
CREATE FUNCTION search_text(title text, description text, content text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN search_spaced(title) || search_spaced(left(coalesce(description, ''), 50000))
  || search_spaced(left(content, 200000));

-- The words of a prompt. Longer ones are cut: they cannot be asked for, but by their beginning.
CREATE FUNCTION search_words(title text, description text, content text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_to_tsvector(ARRAY(
  SELECT left(word, 501)
  FROM unnest(string_to_array(search_text(title, description, content), ' ')) AS word
  WHERE word <> ''
));

ALTER TABLE prompts
  ADD COLUMN search_words tsvector GENERATED ALWAYS AS (search_words(title, description, content)) STORED;
CREATE INDEX prompts_search_words ON prompts USING gin (search_words);
-- So that the 10,000 most frequent words are known: with fewer, a rare word is taken for one of every 200th prompt, and a page
-- of it may be looked for by walking all prompts in order.
ALTER TABLE prompts ALTER COLUMN search_words SET STATISTICS 1000;
