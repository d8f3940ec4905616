-- title: workouts whose description is not of {MIN_DESCRIPTION_LENGTH} to {MAX_DESCRIPTION_LENGTH} characters
-- severity: error
-- table: workouts
-- advice: a program that keeps the limit refuses to save them again; shorten them
SELECT id FROM workouts WHERE char_length(description) NOT BETWEEN {MIN_DESCRIPTION_LENGTH} AND {MAX_DESCRIPTION_LENGTH}
