CREATE TABLE "builder_blobs" (
	"builder" text NOT NULL,
	"sha256" text NOT NULL,
	CONSTRAINT "builder_blobs_builder_sha256_pk" PRIMARY KEY("builder","sha256")
);
--> statement-breakpoint
CREATE TABLE "builders" (
	"digest" text PRIMARY KEY NOT NULL,
	"description" text NOT NULL,
	"architecture" text NOT NULL,
	"mkosi" text NOT NULL,
	"added_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "builders_digest_form" CHECK ("builders"."digest" ~ '^[0-9a-f]{64}$')
);
--> statement-breakpoint
CREATE TABLE "lock_inputs" (
	"lock" text NOT NULL,
	"sha256" text NOT NULL,
	CONSTRAINT "lock_inputs_lock_sha256_pk" PRIMARY KEY("lock","sha256")
);
--> statement-breakpoint
CREATE TABLE "uploads" (
	"owner_id" text NOT NULL,
	"sha256" text NOT NULL,
	"size" bigint NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "uploads_owner_id_sha256_pk" PRIMARY KEY("owner_id","sha256"),
	CONSTRAINT "uploads_size" CHECK ("uploads"."size" >= 0)
);
--> statement-breakpoint
ALTER TABLE "verifications" DROP CONSTRAINT "verifications_report_when_finished";--> statement-breakpoint
ALTER TABLE "workers" ALTER COLUMN "capabilities" DROP NOT NULL;--> statement-breakpoint
-- What was queued before there were routes was an operator's own, on the one architecture there was. New attempts say theirs.
ALTER TABLE "attempts" ADD COLUMN "route" text DEFAULT 'amd64-trusted' NOT NULL;--> statement-breakpoint
ALTER TABLE "attempts" ALTER COLUMN "route" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "indexes" jsonb;--> statement-breakpoint
ALTER TABLE "workers" ADD COLUMN "place" text DEFAULT 'remote' NOT NULL;--> statement-breakpoint
ALTER TABLE "verifications" ADD COLUMN "builder_wanted" text;--> statement-breakpoint
ALTER TABLE "verifications" ADD COLUMN "max_age_seconds" integer;--> statement-breakpoint
ALTER TABLE "verifications" ADD COLUMN "trusted" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "verifications" ADD COLUMN "source_tar" text;--> statement-breakpoint
ALTER TABLE "verifications" ADD COLUMN "recipe" jsonb;--> statement-breakpoint
ALTER TABLE "verifications" ADD COLUMN "architecture" text;--> statement-breakpoint
ALTER TABLE "verifications" ADD COLUMN "prepared_lock" text;--> statement-breakpoint
ALTER TABLE "verifications" ADD COLUMN "tree_digest" text;--> statement-breakpoint
ALTER TABLE "verifications" ADD COLUMN "reused_from" text;--> statement-breakpoint
ALTER TABLE "verifications" ADD COLUMN "reasons" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "builder_blobs" ADD CONSTRAINT "builder_blobs_builder_builders_digest_fk" FOREIGN KEY ("builder") REFERENCES "public"."builders"("digest") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "builder_blobs" ADD CONSTRAINT "builder_blobs_sha256_blobs_sha256_fk" FOREIGN KEY ("sha256") REFERENCES "public"."blobs"("sha256") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "builders" ADD CONSTRAINT "builders_description_blobs_sha256_fk" FOREIGN KEY ("description") REFERENCES "public"."blobs"("sha256") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lock_inputs" ADD CONSTRAINT "lock_inputs_lock_blobs_sha256_fk" FOREIGN KEY ("lock") REFERENCES "public"."blobs"("sha256") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lock_inputs" ADD CONSTRAINT "lock_inputs_sha256_blobs_sha256_fk" FOREIGN KEY ("sha256") REFERENCES "public"."blobs"("sha256") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "uploads" ADD CONSTRAINT "uploads_owner_id_owners_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."owners"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "uploads" ADD CONSTRAINT "uploads_sha256_blobs_sha256_fk" FOREIGN KEY ("sha256") REFERENCES "public"."blobs"("sha256") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "builder_blobs_by_blob" ON "builder_blobs" USING btree ("sha256");--> statement-breakpoint
CREATE INDEX "builders_page" ON "builders" USING btree ("added_at","digest");--> statement-breakpoint
CREATE INDEX "lock_inputs_by_input" ON "lock_inputs" USING btree ("sha256");--> statement-breakpoint
CREATE INDEX "uploads_by_age" ON "uploads" USING btree ("created_at","sha256");--> statement-breakpoint
CREATE INDEX "uploads_by_owner" ON "uploads" USING btree ("owner_id","created_at");--> statement-breakpoint
CREATE INDEX "uploads_by_digest" ON "uploads" USING btree ("sha256");--> statement-breakpoint
CREATE INDEX "workers_taking" ON "workers" USING btree ("place") WHERE "workers"."revoked_at" is null;--> statement-breakpoint
CREATE INDEX "verifications_open_by_owner" ON "verifications" USING btree ("owner_id") WHERE "verifications"."state" in ('accepted', 'running');--> statement-breakpoint
CREATE INDEX "verifications_rebuilt" ON "verifications" USING btree ("tree_digest","finished_at") WHERE "verifications"."state" = 'finished' and "verifications"."reused_from" is null;--> statement-breakpoint
ALTER TABLE "attempts" ADD CONSTRAINT "attempts_route" CHECK ("attempts"."route" in ('amd64-trusted', 'amd64-stranger', 'arm64-trusted', 'arm64-stranger'));--> statement-breakpoint
ALTER TABLE "workers" ADD CONSTRAINT "workers_place" CHECK ("workers"."place" in ('in-process', 'remote'));--> statement-breakpoint
ALTER TABLE "verifications" ADD CONSTRAINT "verifications_builder_wanted_form" CHECK ("verifications"."builder_wanted" ~ '^[0-9a-f]{64}$');--> statement-breakpoint
ALTER TABLE "verifications" ADD CONSTRAINT "verifications_source_tar_form" CHECK ("verifications"."source_tar" ~ '^[0-9a-f]{64}$');--> statement-breakpoint
ALTER TABLE "verifications" ADD CONSTRAINT "verifications_prepared_lock_form" CHECK ("verifications"."prepared_lock" ~ '^[0-9a-f]{64}$');--> statement-breakpoint
ALTER TABLE "verifications" ADD CONSTRAINT "verifications_tree_digest_form" CHECK ("verifications"."tree_digest" ~ '^[0-9a-f]{64}$');--> statement-breakpoint
ALTER TABLE "verifications" ADD CONSTRAINT "verifications_prepared" CHECK (("verifications"."source_tar" is null) = ("verifications"."recipe" is null or "verifications"."architecture" is null or "verifications"."pinned" is null));--> statement-breakpoint
ALTER TABLE "verifications" ADD CONSTRAINT "verifications_report_of_finished" CHECK (case when "verifications"."state" = 'finished' then "verifications"."report" is not null or ("verifications"."verdict" = 'undecided' and "verifications"."pinned" is null) else "verifications"."report" is null end);--> statement-breakpoint
CREATE TRIGGER "builders_append_only" BEFORE UPDATE OR DELETE ON "builders" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
--> statement-breakpoint
CREATE TRIGGER "builders_no_truncate" BEFORE TRUNCATE ON "builders" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
--> statement-breakpoint
CREATE TRIGGER "builder_blobs_append_only" BEFORE UPDATE OR DELETE ON "builder_blobs" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
--> statement-breakpoint
CREATE TRIGGER "builder_blobs_no_truncate" BEFORE TRUNCATE ON "builder_blobs" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
