-- title: workouts whose name is blank, or not of {MIN_NAME_LENGTH} to {MAX_NAME_LENGTH} characters
-- severity: error
-- table: workouts
-- advice: they cannot be told apart in a list, or not shown whole; give each a name
SELECT id FROM workouts WHERE btrim(name, E' \t\r\n') = '' OR char_length(name) NOT BETWEEN {MIN_NAME_LENGTH} AND {MAX_NAME_LENGTH}
