-- What kinetria seed has loaded here, one row a profile and random seed, written in the transaction that wrote the rows.
-- The tool's own table: no entity, nothing refers to it. Deleting a row of it deletes no record; the next seed compares
-- them one by one.

CREATE TABLE public.kinetria_seed (
    profile text NOT NULL,
    random_seed bigint NOT NULL,
    -- How many of the profile's users there are.
    users integer NOT NULL CHECK (users > 0),
    -- The moment that the records lead up to.
    as_of timestamptz NOT NULL,
    -- A digest of what else the rows depend on: the profile's parameters and the generator's version.
    definition text NOT NULL,
    -- {"users": {"rows": 5, "hash": "00112233445566ff"}, ...}: the seed's rows as they were written.
    tables jsonb NOT NULL,
    -- The transactions that wrote rows of the seed, the last one this row too: a row whose xmin is one of them was not
    -- changed since. After a dump is restored they say nothing; then this row's own xmin is not the last of them.
    transactions xid8[] NOT NULL,
    -- How long the loading took.
    seconds double precision NOT NULL,
    seeded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (profile, random_seed)
);
