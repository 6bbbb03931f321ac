-- A slice is called a chunk now, and a verdict an event. What is stored in them by
-- version 1 stays readable: see chunk.go and event.go.
ALTER TABLE slice RENAME TO chunk;
ALTER TABLE chunk RENAME COLUMN slice TO chunk;
ALTER TABLE verdict RENAME TO event;
ALTER TABLE event RENAME COLUMN slice TO chunk;
ALTER TABLE run RENAME COLUMN slices TO chunks;
ALTER TABLE run RENAME COLUMN verdicts TO events;
DROP INDEX verdict_slice;
CREATE UNIQUE INDEX event_chunk ON event (run, chunk, seq);
