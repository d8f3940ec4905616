-- The table first: it uses the types.

DROP TABLE exercises;

DROP TYPE muscle_group;

DROP TYPE exercise_category;
