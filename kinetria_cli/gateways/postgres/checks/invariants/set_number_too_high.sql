-- title: sets with a number above 100
-- severity: error
-- table: set_records
-- advice: a set number is from 1 to 100; split the session, or delete them
SELECT id FROM set_records WHERE set_number > 100
