CREATE TABLE "attempt_tries" (
	"attempt_id" text NOT NULL,
	"number" integer NOT NULL,
	"lease_id" text NOT NULL,
	"worker_id" text NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone NOT NULL,
	"ending" text NOT NULL,
	"reason" jsonb,
	CONSTRAINT "attempt_tries_attempt_id_number_pk" PRIMARY KEY("attempt_id","number"),
	CONSTRAINT "attempt_tries_ending" CHECK ("attempt_tries"."ending" in ('committed', 'infrastructure', 'lease-lost', 'cancelled'))
);
--> statement-breakpoint
CREATE TABLE "attempts" (
	"id" text PRIMARY KEY NOT NULL,
	"verification_id" text NOT NULL,
	"number" integer NOT NULL,
	"mode" text NOT NULL,
	"state" text NOT NULL,
	"tries" integer NOT NULL,
	"outcome" text,
	"report" jsonb,
	"report_digest" text,
	"lease_id" text,
	"worker_id" text,
	"leased_at" timestamp (3) with time zone,
	"lease_expires_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"committed_at" timestamp (3) with time zone,
	CONSTRAINT "attempts_number" UNIQUE("verification_id","number"),
	CONSTRAINT "attempts_report_digest_form" CHECK ("attempts"."report_digest" ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "attempts_mode" CHECK ("attempts"."mode" in ('live', 'replay')),
	CONSTRAINT "attempts_state" CHECK ("attempts"."state" in ('queued', 'leased', 'committed')),
	CONSTRAINT "attempts_number_range" CHECK ("attempts"."number" between 1 and 9),
	CONSTRAINT "attempts_tries" CHECK ("attempts"."tries" >= 0),
	CONSTRAINT "attempts_lease" CHECK (("attempts"."state" = 'leased') = ("attempts"."lease_expires_at" is not null)),
	CONSTRAINT "attempts_lease_holder" CHECK ("attempts"."state" <> 'leased' or ("attempts"."lease_id" is not null and "attempts"."worker_id" is not null and "attempts"."leased_at" is not null)),
	CONSTRAINT "attempts_no_lease_when_queued" CHECK ("attempts"."state" <> 'queued' or "attempts"."lease_id" is null),
	CONSTRAINT "attempts_committed" CHECK (("attempts"."state" = 'committed') = ("attempts"."outcome" is not null and "attempts"."report" is not null and "attempts"."committed_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "workers" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"public_key" text NOT NULL,
	"capabilities" jsonb NOT NULL,
	"added_at" timestamp (3) with time zone NOT NULL,
	"revoked_at" timestamp (3) with time zone,
	"last_seen_at" timestamp (3) with time zone,
	CONSTRAINT "workers_name" UNIQUE("name"),
	CONSTRAINT "workers_public_key" UNIQUE("public_key")
);
--> statement-breakpoint
CREATE TABLE "attestations" (
	"id" text PRIMARY KEY NOT NULL,
	"verification_id" text NOT NULL,
	"predicate_type" text NOT NULL,
	"bundle" text NOT NULL,
	"signer" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "attestations_once" UNIQUE("verification_id","predicate_type")
);
--> statement-breakpoint
CREATE TABLE "signing_backlog" (
	"verification_id" text NOT NULL,
	"predicate_type" text NOT NULL,
	"tries" integer NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"next_at" timestamp (3) with time zone NOT NULL,
	"last_code" text,
	CONSTRAINT "signing_backlog_verification_id_predicate_type_pk" PRIMARY KEY("verification_id","predicate_type")
);
--> statement-breakpoint
CREATE TABLE "blob_references" (
	"sha256" text NOT NULL,
	"verification_id" text NOT NULL,
	"role" text NOT NULL,
	CONSTRAINT "blob_references_sha256_verification_id_role_pk" PRIMARY KEY("sha256","verification_id","role")
);
--> statement-breakpoint
CREATE TABLE "blobs" (
	"sha256" text PRIMARY KEY NOT NULL,
	"size" bigint NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "blobs_sha256_form" CHECK ("blobs"."sha256" ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "blobs_size" CHECK ("blobs"."size" >= 0)
);
--> statement-breakpoint
CREATE TABLE "events" (
	"verification_id" text NOT NULL,
	"seq" integer NOT NULL,
	"attempt" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"kind" text NOT NULL,
	"body" jsonb NOT NULL,
	CONSTRAINT "events_verification_id_seq_pk" PRIMARY KEY("verification_id","seq")
);
--> statement-breakpoint
CREATE TABLE "owners" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"issuer" text NOT NULL,
	"subject" text NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "owners_issuer_subject" UNIQUE("issuer","subject"),
	CONSTRAINT "owners_kind" CHECK ("owners"."kind" in ('local', 'oidc')),
	CONSTRAINT "owners_local_issuer" CHECK (("owners"."kind" = 'local') = ("owners"."issuer" = 'local'))
);
--> statement-breakpoint
CREATE TABLE "tokens" (
	"id" text PRIMARY KEY NOT NULL,
	"owner_id" text NOT NULL,
	"secret_digest" text NOT NULL,
	"name" text NOT NULL,
	"scopes" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"revoked_at" timestamp (3) with time zone,
	"last_used_at" timestamp (3) with time zone,
	CONSTRAINT "tokens_secret_digest" UNIQUE("secret_digest"),
	CONSTRAINT "tokens_secret_digest_form" CHECK ("tokens"."secret_digest" ~ '^[0-9a-f]{64}$')
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"owner_id" text NOT NULL,
	"key" text NOT NULL,
	"verification_id" text NOT NULL,
	"request_digest" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "idempotency_keys_owner_id_key_pk" PRIMARY KEY("owner_id","key"),
	CONSTRAINT "idempotency_keys_request_digest_form" CHECK ("idempotency_keys"."request_digest" ~ '^[0-9a-f]{64}$')
);
--> statement-breakpoint
CREATE TABLE "subjects" (
	"verification_id" text NOT NULL,
	"sha256" text NOT NULL,
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "subjects_verification_id_sha256_kind_name_pk" PRIMARY KEY("verification_id","sha256","kind","name"),
	CONSTRAINT "subjects_sha256_form" CHECK ("subjects"."sha256" ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "subjects_kind" CHECK ("subjects"."kind" in ('claim', 'artifact'))
);
--> statement-breakpoint
CREATE TABLE "verifications" (
	"id" text PRIMARY KEY NOT NULL,
	"owner_id" text NOT NULL,
	"source" jsonb NOT NULL,
	"source_name" text NOT NULL,
	"pinned" jsonb,
	"upload" text,
	"claims" jsonb NOT NULL,
	"lock" text,
	"inputs" text,
	"attempts_wanted" integer NOT NULL,
	"callback_url" text,
	"fingerprint" text NOT NULL,
	"state" text NOT NULL,
	"attempts_committed" boolean DEFAULT false NOT NULL,
	"verdict" text,
	"tier" text,
	"builder" text,
	"report" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"finished_at" timestamp (3) with time zone,
	CONSTRAINT "verifications_fingerprint_form" CHECK ("verifications"."fingerprint" ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "verifications_upload_form" CHECK ("verifications"."upload" ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "verifications_lock_form" CHECK ("verifications"."lock" ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "verifications_inputs_form" CHECK ("verifications"."inputs" ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "verifications_builder_form" CHECK ("verifications"."builder" ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "verifications_report_form" CHECK ("verifications"."report" ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "verifications_state" CHECK ("verifications"."state" in ('accepted', 'running', 'finished', 'cancelled')),
	CONSTRAINT "verifications_verdict" CHECK ("verifications"."verdict" in ('reproduced', 'mismatch', 'nondeterministic', 'build-failed', 'refused', 'undecided')),
	CONSTRAINT "verifications_attempts_wanted" CHECK ("verifications"."attempts_wanted" between 1 and 9),
	CONSTRAINT "verifications_verdict_when_finished" CHECK (("verifications"."state" = 'finished') = ("verifications"."verdict" is not null)),
	CONSTRAINT "verifications_report_when_finished" CHECK (("verifications"."state" = 'finished') = ("verifications"."report" is not null)),
	CONSTRAINT "verifications_tier_when_reproduced" CHECK (("verifications"."verdict" is not distinct from 'reproduced') = ("verifications"."tier" is not null)),
	CONSTRAINT "verifications_finished_at" CHECK (("verifications"."state" in ('finished', 'cancelled')) = ("verifications"."finished_at" is not null)),
	CONSTRAINT "verifications_committed_when_finished" CHECK ("verifications"."state" <> 'finished' or "verifications"."attempts_committed")
);
--> statement-breakpoint
ALTER TABLE "attempt_tries" ADD CONSTRAINT "attempt_tries_attempt_id_attempts_id_fk" FOREIGN KEY ("attempt_id") REFERENCES "public"."attempts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "attempt_tries" ADD CONSTRAINT "attempt_tries_worker_id_workers_id_fk" FOREIGN KEY ("worker_id") REFERENCES "public"."workers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "attempts" ADD CONSTRAINT "attempts_verification_id_verifications_id_fk" FOREIGN KEY ("verification_id") REFERENCES "public"."verifications"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "attempts" ADD CONSTRAINT "attempts_worker_id_workers_id_fk" FOREIGN KEY ("worker_id") REFERENCES "public"."workers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "attestations" ADD CONSTRAINT "attestations_verification_id_verifications_id_fk" FOREIGN KEY ("verification_id") REFERENCES "public"."verifications"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "attestations" ADD CONSTRAINT "attestations_bundle_blobs_sha256_fk" FOREIGN KEY ("bundle") REFERENCES "public"."blobs"("sha256") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "signing_backlog" ADD CONSTRAINT "signing_backlog_verification_id_verifications_id_fk" FOREIGN KEY ("verification_id") REFERENCES "public"."verifications"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "blob_references" ADD CONSTRAINT "blob_references_sha256_blobs_sha256_fk" FOREIGN KEY ("sha256") REFERENCES "public"."blobs"("sha256") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "blob_references" ADD CONSTRAINT "blob_references_verification_id_verifications_id_fk" FOREIGN KEY ("verification_id") REFERENCES "public"."verifications"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "events" ADD CONSTRAINT "events_verification_id_verifications_id_fk" FOREIGN KEY ("verification_id") REFERENCES "public"."verifications"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tokens" ADD CONSTRAINT "tokens_owner_id_owners_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."owners"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_owner_id_owners_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."owners"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_verification_id_verifications_id_fk" FOREIGN KEY ("verification_id") REFERENCES "public"."verifications"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subjects" ADD CONSTRAINT "subjects_verification_id_verifications_id_fk" FOREIGN KEY ("verification_id") REFERENCES "public"."verifications"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "verifications" ADD CONSTRAINT "verifications_owner_id_owners_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."owners"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "attempts_lease_expiry" ON "attempts" USING btree ("lease_expires_at") WHERE "attempts"."state" = 'leased';--> statement-breakpoint
CREATE INDEX "workers_page" ON "workers" USING btree ("added_at","id");--> statement-breakpoint
CREATE INDEX "attestations_page" ON "attestations" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "signing_backlog_next" ON "signing_backlog" USING btree ("next_at");--> statement-breakpoint
CREATE INDEX "blob_references_by_verification" ON "blob_references" USING btree ("verification_id");--> statement-breakpoint
CREATE INDEX "blobs_page" ON "blobs" USING btree ("created_at","sha256");--> statement-breakpoint
CREATE INDEX "owners_page" ON "owners" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "tokens_page" ON "tokens" USING btree ("owner_id","created_at","id");--> statement-breakpoint
CREATE INDEX "idempotency_keys_expiry" ON "idempotency_keys" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "subjects_page" ON "subjects" USING btree ("sha256","created_at","verification_id");--> statement-breakpoint
CREATE UNIQUE INDEX "verifications_open_fingerprint" ON "verifications" USING btree ("fingerprint") WHERE "verifications"."state" in ('accepted', 'running');--> statement-breakpoint
CREATE INDEX "verifications_page" ON "verifications" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "verifications_page_by_verdict" ON "verifications" USING btree ("verdict","created_at","id");--> statement-breakpoint
CREATE INDEX "verifications_page_by_source" ON "verifications" USING btree ("source_name","created_at","id");--> statement-breakpoint
CREATE INDEX "verifications_page_by_builder" ON "verifications" USING btree ("builder","created_at","id");--> statement-breakpoint
CREATE INDEX "verifications_page_by_owner" ON "verifications" USING btree ("owner_id","created_at","id");--> statement-breakpoint
CREATE INDEX "verifications_open" ON "verifications" USING btree ("created_at","id") WHERE "verifications"."state" in ('accepted', 'running');