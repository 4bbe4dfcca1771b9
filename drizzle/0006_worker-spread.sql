CREATE TABLE "handed_blobs" (
	"attempt_id" text NOT NULL,
	"lease_id" text NOT NULL,
	"sha256" text NOT NULL,
	CONSTRAINT "handed_blobs_attempt_id_lease_id_sha256_pk" PRIMARY KEY("attempt_id","lease_id","sha256"),
	CONSTRAINT "handed_blobs_sha256_form" CHECK ("handed_blobs"."sha256" ~ '^[0-9a-f]{64}$')
);
--> statement-breakpoint
CREATE TABLE "verification_workers" (
	"worker_id" text NOT NULL,
	"verification_id" text NOT NULL,
	CONSTRAINT "verification_workers_worker_id_verification_id_pk" PRIMARY KEY("worker_id","verification_id")
);
--> statement-breakpoint
ALTER TABLE "handed_blobs" ADD CONSTRAINT "handed_blobs_attempt_id_attempts_id_fk" FOREIGN KEY ("attempt_id") REFERENCES "public"."attempts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "verification_workers" ADD CONSTRAINT "verification_workers_worker_id_workers_id_fk" FOREIGN KEY ("worker_id") REFERENCES "public"."workers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "verification_workers" ADD CONSTRAINT "verification_workers_verification_id_verifications_id_fk" FOREIGN KEY ("verification_id") REFERENCES "public"."verifications"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "verification_workers_by_verification" ON "verification_workers" USING btree ("verification_id");