-- +goose Up

-- The schema opscom itself is made by the migrating account, before goose puts its
-- table of versions there.

-- What belongs to the journal as a whole: one row.
CREATE TABLE opscom.journal (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    salt     bytea   NOT NULL, -- key of the digests, encrypted with the key ring: a process that cannot open it has the wrong keys
    timeline text    NOT NULL, -- when follow_timeline last looked, see timeline()
    restored bigint  NOT NULL DEFAULT 0, -- the last run before that timeline
    certain_from bigint NOT NULL DEFAULT 0 -- its first event.id: what earlier ones say that the Controllers accepted is in doubt
);

-- timeline says which history the database continues: the cluster, PostgreSQL's timeline,
-- and the table, in hexadecimal. A failover or a restore begins another one, and may have lost
-- the last transactions; the table is another one after a dump was restored into the same
-- cluster. It is NULL on a standby, where nothing is written. What it cannot show: the files of
-- a stopped server, or the disk of its machine, were put back as they were earlier.
-- +goose StatementBegin
CREATE FUNCTION opscom.timeline() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN NOT pg_is_in_recovery() THEN
    to_hex((SELECT system_identifier FROM pg_control_system())) || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
    || '/' || to_hex('opscom.journal'::regclass::oid::bigint)
END;
-- +goose StatementEnd

-- Controllers and client codes that runs are pushed to.
CREATE TABLE opscom.target (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text   NOT NULL UNIQUE, -- client code and base URL, as importer.TargetOf writes them
    rate          double precision NOT NULL DEFAULT 10 CHECK (rate >= 0), -- requests a second, of all processes together; 0: no limit
    paused_until  timestamptz NOT NULL DEFAULT '-infinity', -- the Controller asks to be left alone until then
    folded        bigint NOT NULL DEFAULT 0,  -- event.id up to which the acceptances are up to date
    user_types    jsonb  NOT NULL DEFAULT '[]', -- the Controller's list as it last gave it
    user_types_at timestamptz                 -- when; NULL: never
);

-- When the next turn of each target is. It is written with every reservation and worth
-- nothing after a crash: UNLOGGED tables have no WAL, and are empty after a crash and on a
-- standby that was promoted. Then the first reservation waits until the turns are over that
-- were given out before.
CREATE UNLOGGED TABLE opscom.pace (
    target bigint PRIMARY KEY,
    tat    bigint NOT NULL -- when the next turn is: microseconds since 1970 on the database's clock
) WITH (fillfactor = 10);

-- Runs. chunks and planned let a reader see that nothing of the plan is missing.
CREATE TABLE opscom.run (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    night        date   NOT NULL, -- when it began, in UTC: the partition of its rows
    target       bigint NOT NULL REFERENCES opscom.target,
    client       text   NOT NULL,
    source       text   NOT NULL,
    file_hash    text   NOT NULL,
    mapping_hash text   NOT NULL,
    state        text   NOT NULL CHECK (state IN ('planning', 'held', 'pushing', 'stopped', 'finished', 'superseded')),
    reason       text   NOT NULL DEFAULT '', -- why it was stopped, for a person; no value of a row
    stopping     text,                         -- why it is about to be: those who hold rows record what is in flight, and give the rest back; NULL: it is not
    failing      text    NOT NULL DEFAULT '',    -- how the rows failed whose outcomes were recorded last, as a keyed digest; '': the last one did not
    failures     integer NOT NULL DEFAULT 0,     -- how many of them in a row failed so
    has_pushed   boolean NOT NULL DEFAULT false, -- some row was pushed since the run was last started
    rows         bigint NOT NULL DEFAULT 0,
    held         jsonb  NOT NULL DEFAULT '[]', -- array of sentences
    reports      jsonb  NOT NULL DEFAULT '{}', -- where each report goes, and what else is known of the file
    started_at   timestamptz NOT NULL,
    finished_at  timestamptz,                  -- NULL: not finished
    chunks       integer NOT NULL DEFAULT 0,   -- number of chunks stored; known once the plan is complete
    planned      bigint  NOT NULL DEFAULT 0,   -- number of rows in them, likewise
    timeline     text    NOT NULL,             -- when it was last looked at, see timeline()
    payload_key  bytea,                        -- key of its payloads, encrypted with the key ring; NULL: the run is over, nobody can read them
    folded       boolean NOT NULL DEFAULT true -- false: it may have outcomes that the acceptances do not know
);
CREATE INDEX run_target ON opscom.run (target, id);
CREATE INDEX run_night ON opscom.run (night);
CREATE INDEX run_to_fold ON opscom.run (target) WHERE NOT folded;
-- One run a target at a time.
CREATE UNIQUE INDEX run_one_a_target ON opscom.run (target) WHERE state IN ('planning', 'pushing');

-- The plan as it was made, 256 row numbers a chunk: written once. What is compressed and
-- encrypted already, PostgreSQL need not try to compress.
CREATE TABLE opscom.chunk (
    night date    NOT NULL,
    run   bigint  NOT NULL,
    chunk integer NOT NULL, -- row / 256
    data  bytea   NOT NULL, -- its rows, compressed and encrypted
    PRIMARY KEY (night, run, chunk)
) PARTITION BY RANGE (night);
ALTER TABLE opscom.chunk ALTER COLUMN data SET STORAGE EXTERNAL;

-- The profiles of a chunk's pending rows as they will be sent, encrypted with a key of the
-- run that is deleted with its end. To delete the rows themselves would cost as much WAL as to
-- store them; they go with the last run of the night, see drop_payloads.
CREATE TABLE opscom.payload (
    night date    NOT NULL,
    run   bigint  NOT NULL,
    chunk integer NOT NULL,
    data  bytea   NOT NULL, -- compressed and encrypted
    PRIMARY KEY (night, run, chunk)
) PARTITION BY RANGE (night);
ALTER TABLE opscom.payload ALTER COLUMN data SET STORAGE EXTERNAL;

-- What was found out later about rows of a chunk, in the order in which it was: amendments
-- of the plan, claims of rows again, and outcomes.
CREATE SEQUENCE opscom.event_id;
CREATE TABLE opscom.event (
    night date    NOT NULL,
    run   bigint  NOT NULL,
    chunk integer NOT NULL,
    seq   integer NOT NULL, -- 1, 2, 3 … within the chunk
    id    bigint  NOT NULL DEFAULT nextval('opscom.event_id'), -- orders the outcomes of the runs to a target, of which one is pushed at a time
    data  bytea   NOT NULL, -- compressed and encrypted
    PRIMARY KEY (night, run, chunk, seq)
) PARTITION BY RANGE (night);
ALTER TABLE opscom.event ALTER COLUMN data SET STORAGE EXTERNAL;
ALTER SEQUENCE opscom.event_id OWNED BY opscom.event.id;

-- ensure_night makes the partitions of a night. There is no default partition: while it
-- exists, each new one waits for everybody who reads it, and those that come then wait too.
-- A table that is attached stops nobody.
-- +goose StatementBegin
CREATE FUNCTION opscom.ensure_night(night date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parent text;
    part   text;
BEGIN
    IF to_regclass('opscom.event' || to_char(night, '_YYYYMMDD')) IS NOT NULL THEN -- the last that is made
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock('opscom.run'::regclass::oid::integer, 0); -- one maker at a time
    FOREACH parent IN ARRAY ARRAY['chunk', 'payload', 'event'] LOOP
        part := parent || to_char(night, '_YYYYMMDD');
        CONTINUE WHEN to_regclass('opscom.' || part) IS NOT NULL;
        EXECUTE format('CREATE TABLE opscom.%I (LIKE opscom.%I INCLUDING ALL)', part, parent);
        EXECUTE format('ALTER TABLE opscom.%I ATTACH PARTITION opscom.%I FOR VALUES FROM (%L) TO (%L)', parent, part, night, night + 1);
    END LOOP;
END $$;
-- +goose StatementEnd

-- drop_payloads gives the space of a night's payloads back once all its runs are over, and
-- reports whether it did.
-- +goose StatementBegin
CREATE FUNCTION opscom.drop_payloads(night date) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
    part text := 'payload' || to_char(night, '_YYYYMMDD');
    i    integer;
BEGIN
    IF to_regclass('opscom.' || part) IS NULL THEN
        RETURN false;
    END IF;
    FOR i IN 1..2 LOOP -- the second time nobody can store any: a run is stored before its payloads
        IF EXISTS (SELECT FROM opscom.run r WHERE r.night = drop_payloads.night AND r.state NOT IN ('finished', 'superseded')) THEN
            RETURN false;
        END IF;
        EXECUTE format('LOCK TABLE opscom.%I IN ACCESS EXCLUSIVE MODE', part);
    END LOOP;
    EXECUTE format('TRUNCATE opscom.%I', part);
    RETURN true;
END $$;
-- +goose StatementEnd

-- drop_night deletes the runs of a night with all that is known of their rows, and returns
-- how many. It is an error while one of them is not over, or the acceptances do not know its outcomes.
-- While it waits for somebody who reads, as for a long report, everybody else waits for it: so not for long.
-- +goose StatementBegin
CREATE FUNCTION opscom.drop_night(night date) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
    parent text;
    left_over bigint;
    dropped bigint;
BEGIN
    SELECT min(r.id) INTO left_over FROM opscom.run r WHERE r.night = drop_night.night AND (r.state NOT IN ('finished', 'superseded') OR NOT r.folded);
    IF left_over IS NOT NULL THEN
        RAISE EXCEPTION 'run % is not over, or not folded', left_over USING ERRCODE = 'object_in_use';
    END IF;
    FOREACH parent IN ARRAY ARRAY['payload', 'event', 'chunk'] LOOP
        EXECUTE format('DROP TABLE IF EXISTS opscom.%I', parent || to_char(night, '_YYYYMMDD'));
    END LOOP;
    DELETE FROM opscom.run r WHERE r.night = drop_night.night;
    GET DIAGNOSTICS dropped = ROW_COUNT;
    RETURN dropped;
END $$;
-- +goose StatementEnd
-- Where each chunk stands: small, and updated with every lease, claim and record. Nothing
-- that changes is in an index and pages are half empty, so that an update stays in its page
-- and touches no index (HOT).
CREATE TABLE opscom.chunk_state (
    run         bigint    NOT NULL REFERENCES opscom.run ON DELETE CASCADE,
    chunk       integer   NOT NULL,
    epoch       integer   NOT NULL DEFAULT 0, -- one more with each lease, 1,000 more after a failover: the holder of an earlier one writes nothing
    claimed     integer   NOT NULL DEFAULT 0, -- every pending row of round 0 up to this one may have been sent; 2147483647: every pending row
    events      integer   NOT NULL DEFAULT 0, -- number of records in event
    resumed     integer   NOT NULL DEFAULT 0, -- events when the run was last started: what failed since then is not tried again
    rounds      integer[] NOT NULL DEFAULT '{}', -- the rounds that still wait, ascending; empty while the run is stopped
    lease_until timestamptz,                  -- NULL: nobody holds it
    PRIMARY KEY (run, chunk),
    CHECK (epoch >= 0 AND claimed >= 0 AND resumed BETWEEN 0 AND events)
) WITH (fillfactor = 50);

-- Who works on a run, as its jobs and the process say that began it. The truth about rows is
-- in chunk_state alone.
CREATE TABLE opscom.lane (
    run         bigint  NOT NULL REFERENCES opscom.run ON DELETE CASCADE,
    lane        integer NOT NULL,
    epoch       integer NOT NULL DEFAULT 0, -- one more with each job that takes the lane's place
    job         bigint,                     -- river.river_job.id of that job
    priority    smallint NOT NULL DEFAULT 1, -- of its jobs: 1 goes before 2
    worker      text    NOT NULL DEFAULT '',
    lease_until timestamptz NOT NULL DEFAULT 'infinity', -- it is alive until then; infinity: its job waits in the queue
    helped      boolean NOT NULL DEFAULT false, -- who enqueued the run pushes it too: without a worker it waits for nobody
    trouble     text    NOT NULL DEFAULT '', -- why the last worker could not push it, for a person; no value of a row
    PRIMARY KEY (run, lane)
) WITH (fillfactor = 50);

-- Processes that work on runs, or did a short while ago.
CREATE TABLE opscom.worker (
    name       text PRIMARY KEY,
    host       text NOT NULL DEFAULT '',
    process    integer NOT NULL DEFAULT 0, -- its number on the host
    version    text NOT NULL DEFAULT '', -- of the program
    slots      integer NOT NULL DEFAULT 0, -- lanes that it works on at a time
    controller text NOT NULL DEFAULT '', -- URL that it pushes to, as in the names of targets
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    is_drained boolean NOT NULL DEFAULT false, -- it takes nothing on any more
    speed      double precision NOT NULL DEFAULT 0 -- rows a second that got an outcome lately
) WITH (fillfactor = 50);

-- What the Controller last accepted: digests and reference ids, no text of a person. It
-- follows from the events, and outlives the runs.
CREATE TABLE opscom.acceptance (
    target bigint NOT NULL REFERENCES opscom.target,
    key    bytea  NOT NULL, -- keyed digest of login source and unique id
    data   bytea  NOT NULL,
    PRIMARY KEY (target, key)
);

-- follow_timeline looks whether another timeline has begun, and reports whether it has. Then
-- outcomes may be lost, and runs with all that they did. So what the Controllers last accepted is
-- in doubt: somebody who was changed, and changed back, since then would be taken for unchanged.
-- The runs before count as those of a journal that was restored. The next ones get other numbers than
-- those that are lost, so that a number in a message is never that of two runs.
-- +goose StatementBegin
CREATE FUNCTION opscom.follow_timeline() RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE opscom.journal SET timeline = opscom.timeline(), restored = nextval('opscom.run_id_seq'), certain_from = nextval('opscom.event_id')
        WHERE timeline <> opscom.timeline();
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM setval('opscom.run_id_seq', nextval('opscom.run_id_seq') + 1000);
    RETURN true;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION opscom.ensure_night, opscom.drop_payloads, opscom.drop_night, opscom.follow_timeline FROM PUBLIC;

-- The people of the last complete run of a source, once that run is forgotten.
CREATE TABLE opscom.roster (
    target bigint NOT NULL REFERENCES opscom.target,
    series text   NOT NULL, -- path of the source without its dates
    run    bigint NOT NULL,
    keyed  boolean NOT NULL, -- it has the ids of people, and not only digests
    data   bytea  NOT NULL, -- compressed and encrypted
    PRIMARY KEY (target, series)
);
ALTER TABLE opscom.roster ALTER COLUMN data SET STORAGE EXTERNAL;

-- What the jobs of the config file did: one row for each file that a job took, and for each
-- time of its schedule at which there was none. It holds no text of a person.
CREATE TABLE opscom.job_run (
    id         bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job        text    NOT NULL, -- its name
    host       text    NOT NULL DEFAULT '', -- the machine that began it
    file       text    NOT NULL, -- where the file arrived; '': there was none
    file_hash  text    NOT NULL, -- SHA-256 of its bytes in hexadecimal; '': not read
    folder     text    NOT NULL, -- the folder of its own that it lies in; '': it stays where it is
    run        bigint  NOT NULL DEFAULT 0, -- 0: none was planned
    starts     integer NOT NULL DEFAULT 1, -- how often the work on it has begun since it last ended
    exit       integer NOT NULL DEFAULT -1, -- exit code; -1: not ended
    counts     jsonb   NOT NULL DEFAULT '{}', -- rows by status
    problem    text    NOT NULL DEFAULT '', -- why it failed, is held or is not complete
    retry      boolean NOT NULL DEFAULT false, -- it will be tried again
    told       boolean NOT NULL DEFAULT false, -- people were told how it ended
    due_at     timestamptz,          -- time of the schedule; NULL: it has none
    begun_at   timestamptz NOT NULL, -- the first time that it began
    started_at timestamptz NOT NULL, -- the last time that it began
    ended_at   timestamptz           -- NULL: not ended
);
CREATE INDEX job_run_job ON opscom.job_run (job, id);
