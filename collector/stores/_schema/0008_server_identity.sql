-- What a server waited for its directory or sign-in service, as it tells itself. NULL, as in every row before: not told.

ALTER TABLE lake.steps ADD COLUMN "server_identity" DOUBLE;
ALTER TABLE lake.hourly ADD COLUMN "server_identity_q50" DOUBLE;
