-- The seeded records stay; what is lost is the note of what was seeded.

DROP TABLE public.kinetria_seed;
