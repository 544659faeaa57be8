-- Sessions in which people work, told by a source, beside those a probe holds open. NULL, as in every row before this: held.

ALTER TABLE lake.sessions ADD COLUMN "synthetic" BOOLEAN;
