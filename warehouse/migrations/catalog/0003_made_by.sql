-- What made a version, such as "job 17": registering it a second time finds the first.
ALTER TABLE versions ADD COLUMN made_by TEXT;
CREATE UNIQUE INDEX versions_made_by ON versions (made_by) WHERE made_by IS NOT NULL;
