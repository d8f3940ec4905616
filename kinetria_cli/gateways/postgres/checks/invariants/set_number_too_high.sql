-- title: sets with a number that is not from {MIN_SET_NUMBER} to {MAX_SET_NUMBER}
-- severity: error
-- table: set_records
-- advice: no program of ours makes or shows such a set; split the session, or delete them
SELECT id FROM set_records WHERE set_number NOT BETWEEN {MIN_SET_NUMBER} AND {MAX_SET_NUMBER}
