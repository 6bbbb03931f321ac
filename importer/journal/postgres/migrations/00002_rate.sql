-- +goose Up

-- Vacuum would lock the small table to make it smaller, and everybody would wait.
ALTER TABLE opscom.pace SET (vacuum_truncate = off);

-- reserve gives out turns of the rates of targets (GCRA): at most wanted[i] of the target
-- with the name targets[i]. For each question it returns
--
--     question  its number, from 1; none for a target that is not known
--     turns     how many; 0: none is free yet, or the Controller asks for a pause
--     first     the first turn; without turns, when to ask again
--     step      from one turn to the next; 0: there is no limit
--     paused    when the pause ends; 0: there is none
--
-- Times are in microseconds since 1970 on this server's clock, which is read after the
-- target is locked. All programs must agree on the constants, so they are here.
-- +goose StatementBegin
CREATE FUNCTION opscom.reserve(targets text[], wanted integer[])
    RETURNS TABLE (question integer, turns integer, first bigint, step bigint, paused bigint)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    margin  CONSTANT bigint := 25000;   -- importer.TurnMargin, which says why
    horizon CONSTANT bigint := 1000000; -- so far ahead turns are given out
    asked  record;
    moment bigint;
    stored bigint;
    next   bigint;
BEGIN
    -- in the order of their ids, so that two processes do not wait for each other
    FOR asked IN SELECT u.number, u.turns, t.id, t.rate, t.paused_until
        FROM unnest(targets, wanted) WITH ORDINALITY AS u (name, turns, number) JOIN opscom.target t ON t.name = u.name
        ORDER BY t.id, u.number
    LOOP
        question := asked.number;
        turns := 0;
        step := 0;
        paused := 0;
        first := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
        IF asked.rate > 0 THEN
            step := ceil((1000000 + margin) / asked.rate);
        END IF;
        IF asked.paused_until > clock_timestamp() THEN
            paused := (extract(epoch FROM least(asked.paused_until, clock_timestamp() + interval '1 year')) * 1000000)::bigint;
            RETURN NEXT;
            CONTINUE;
        ELSIF step = 0 THEN
            turns := asked.turns;
            RETURN NEXT;
            CONTINUE;
        END IF;
        LOOP
            SELECT p.tat INTO stored FROM opscom.pace p WHERE p.target = asked.id FOR UPDATE;
            EXIT WHEN FOUND;
            -- The target is new, or the server crashed, or took over from another one: turns of
            -- the next second may have been given out, which nobody here knows.
            INSERT INTO opscom.pace (target, tat)
                VALUES (asked.id, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + horizon + step) ON CONFLICT DO NOTHING;
        END LOOP;
        moment := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
        -- No turn is further away than that, unless the clock was put back.
        next := greatest(moment, least(stored, moment + horizon + step));
        IF next > moment + horizon THEN
            first := next - horizon / 2; -- when there is something to give out for half the time
        ELSE
            first := next;
            turns := least(asked.turns, (moment + horizon - next) / step + 1);
        END IF;
        IF next + turns * step <> stored THEN
            UPDATE opscom.pace p SET tat = next + turns * step WHERE p.target = asked.id;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION opscom.reserve FROM PUBLIC;
