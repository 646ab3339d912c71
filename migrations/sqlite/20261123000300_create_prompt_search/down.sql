DROP TRIGGER prompt_search_insert;
DROP TRIGGER prompt_search_update;
DROP TRIGGER prompt_search_delete;
DROP TABLE prompt_search;
DROP TABLE prompt_search_numbers;
