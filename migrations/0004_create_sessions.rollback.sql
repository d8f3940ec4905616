-- Fails while set_records refers to it: that one is rolled back first.

DROP TABLE sessions;

DROP TYPE session_status;
