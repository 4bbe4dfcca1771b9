CREATE TABLE "forgotten_blobs" (
	"sha256" text PRIMARY KEY NOT NULL,
	"since" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "forgotten_blobs_sha256_form" CHECK ("forgotten_blobs"."sha256" ~ '^[0-9a-f]{64}$')
);
--> statement-breakpoint
CREATE INDEX "forgotten_blobs_by_age" ON "forgotten_blobs" USING btree ("since");