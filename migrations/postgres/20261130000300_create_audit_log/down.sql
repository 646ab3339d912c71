DROP TABLE audit_log_objects;
DROP TABLE audit_log;
