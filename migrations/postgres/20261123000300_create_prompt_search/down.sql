ALTER TABLE prompts DROP COLUMN search_words;
DROP FUNCTION search_words;
DROP FUNCTION search_text;
DROP FUNCTION search_spaced;
DROP FUNCTION search_fold;
