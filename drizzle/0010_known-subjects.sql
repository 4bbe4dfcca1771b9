CREATE TABLE "known_subjects" (
	"sha256" text NOT NULL,
	"key" text NOT NULL,
	"owner_id" text NOT NULL,
	"source_name" text NOT NULL,
	"newest_id" text NOT NULL,
	"newest_at" timestamp (3) with time zone NOT NULL,
	"decided" boolean NOT NULL,
	"count" integer NOT NULL,
	"first_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "known_subjects_sha256_key_pk" PRIMARY KEY("sha256","key"),
	CONSTRAINT "known_subjects_sha256_form" CHECK ("known_subjects"."sha256" ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "known_subjects_key_form" CHECK ("known_subjects"."key" ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "known_subjects_count" CHECK ("known_subjects"."count" >= 1)
);
--> statement-breakpoint
-- What a verdict counts for: its owner, its source as it was pinned, or asked for where it never was, and its claims in any order. Neither the
-- branch that a commit was found on nor where claimed bytes can be had is part of it.
CREATE FUNCTION "known_key"(owner_id text, source jsonb, pinned jsonb, claims jsonb) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT encode(sha256(convert_to(jsonb_build_array(owner_id, coalesce(pinned - 'ref', source), (
    SELECT coalesce(jsonb_agg(claim - 'location' ORDER BY (claim - 'location')::text COLLATE "C"), '[]') FROM jsonb_array_elements(claims) claim
  ))::text, 'UTF8')), 'hex')
$$;--> statement-breakpoint
ALTER TABLE "subjects" ADD COLUMN "key" text;--> statement-breakpoint
UPDATE "subjects" SET "key" = known_key(v.owner_id, v.source, v.pinned, v.claims) FROM "verifications" v WHERE v.id = "verification_id";--> statement-breakpoint
ALTER TABLE "subjects" ALTER COLUMN "key" SET NOT NULL;--> statement-breakpoint
INSERT INTO "known_subjects" ("sha256", "key", "owner_id", "source_name", "newest_id", "newest_at", "decided", "count", "first_at")
  SELECT sha256, key, min(owner_id), min(source_name),
    (array_agg(id ORDER BY verdict <> 'undecided' DESC, finished_at DESC, id DESC))[1],
    (array_agg(finished_at ORDER BY verdict <> 'undecided' DESC, finished_at DESC, id DESC))[1],
    bool_or(verdict <> 'undecided'), count(*), min(finished_at)
  FROM (
    SELECT DISTINCT s.sha256, s.key, v.id, v.owner_id, v.source_name, v.verdict, v.finished_at
    FROM "subjects" s JOIN "verifications" v ON v.id = s.verification_id WHERE v.state = 'finished'
  ) finished GROUP BY sha256, key;--> statement-breakpoint
ALTER TABLE "known_subjects" ADD CONSTRAINT "known_subjects_owner_id_owners_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."owners"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "known_subjects" ADD CONSTRAINT "known_subjects_newest_id_verifications_id_fk" FOREIGN KEY ("newest_id") REFERENCES "public"."verifications"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "known_subjects_page" ON "known_subjects" USING btree ("sha256","newest_at","newest_id");--> statement-breakpoint
CREATE INDEX "known_subjects_by_owner" ON "known_subjects" USING btree ("sha256","owner_id","newest_at","newest_id");--> statement-breakpoint
CREATE INDEX "known_subjects_by_source" ON "known_subjects" USING btree ("sha256","source_name","newest_at","newest_id");--> statement-breakpoint
CREATE INDEX "subjects_page_by_key" ON "subjects" USING btree ("sha256","key","created_at","verification_id");--> statement-breakpoint
ALTER TABLE "subjects" ADD CONSTRAINT "subjects_key_form" CHECK ("subjects"."key" ~ '^[0-9a-f]{64}$');