-- title: exercises whose difficulty level is not from {MIN_DIFFICULTY_LEVEL} to {MAX_DIFFICULTY_LEVEL}
-- severity: error
-- table: exercises
-- advice: the statement sets the default, {DEFAULT_DIFFICULTY_LEVEL}
-- fix: UPDATE public.exercises SET difficulty_level = {DEFAULT_DIFFICULTY_LEVEL} WHERE difficulty_level NOT BETWEEN {MIN_DIFFICULTY_LEVEL} AND {MAX_DIFFICULTY_LEVEL} AND unseeded(id);
SELECT id FROM exercises WHERE difficulty_level NOT BETWEEN {MIN_DIFFICULTY_LEVEL} AND {MAX_DIFFICULTY_LEVEL}
