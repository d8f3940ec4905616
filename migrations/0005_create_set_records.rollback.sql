-- The largest table: its rows are gone with it.

DROP TABLE set_records;
