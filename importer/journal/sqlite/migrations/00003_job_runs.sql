-- What the jobs of the config file did: one row for each file that a job took, and for
-- each time of its schedule at which there was none. It holds no text of a person.
CREATE TABLE job_run (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    job        TEXT    NOT NULL, -- its name
    file       TEXT    NOT NULL, -- where the file arrived; '': there was none
    file_hash  TEXT    NOT NULL, -- SHA-256 of its bytes in hexadecimal; '': not read
    folder     TEXT    NOT NULL, -- the folder of its own that it lies in; '': it stays where it is
    run        INTEGER NOT NULL, -- 0: none was planned
    starts     INTEGER NOT NULL, -- how often the work on it has begun since it last ended
    exit       INTEGER NOT NULL, -- exit code; -1: not ended
    counts     TEXT    NOT NULL, -- JSON object: rows by status
    problem    TEXT    NOT NULL, -- why it failed, is held or is not complete
    retry      INTEGER NOT NULL, -- 1: it will be tried again
    told       INTEGER NOT NULL, -- 1: people were told how it ended
    due_at     INTEGER NOT NULL, -- time of the schedule, in microseconds since 1970; 0: it has none
    begun_at   INTEGER NOT NULL, -- the first time that it began
    started_at INTEGER NOT NULL, -- the last time that it began
    ended_at   INTEGER NOT NULL  -- 0: not ended
);
CREATE INDEX job_run_job ON job_run (job, id);
