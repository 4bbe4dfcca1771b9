CREATE TABLE "gate_standings" (
	"policy_sha256" text NOT NULL,
	"app_id" text NOT NULL,
	"compose_hash" text NOT NULL,
	"policy" text NOT NULL,
	"result" text NOT NULL,
	"admitted" boolean NOT NULL,
	"changes" integer NOT NULL,
	"changed_at" timestamp (3) with time zone NOT NULL,
	"document" jsonb NOT NULL,
	"signed_change" integer NOT NULL,
	"signed_result" text,
	"signed_at" timestamp (3) with time zone,
	"guest" jsonb NOT NULL,
	"guest_rank" integer NOT NULL,
	"last_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "gate_standings_policy_sha256_app_id_compose_hash_pk" PRIMARY KEY("policy_sha256","app_id","compose_hash"),
	CONSTRAINT "gate_standings_compose_hash_form" CHECK ("gate_standings"."compose_hash" ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "gate_standings_result" CHECK ("gate_standings"."result" in ('passed', 'failed'))
);
--> statement-breakpoint
CREATE TABLE "gate_summaries" (
	"attestation_id" text PRIMARY KEY NOT NULL,
	"policy_sha256" text NOT NULL,
	"app_id" text NOT NULL,
	"compose_hash" text NOT NULL,
	"change" integer NOT NULL,
	"result" text NOT NULL,
	CONSTRAINT "gate_summaries_once" UNIQUE("policy_sha256","app_id","compose_hash","change"),
	CONSTRAINT "gate_summaries_change" CHECK ("gate_summaries"."change" > 0)
);
--> statement-breakpoint
ALTER TABLE "attestations" ALTER COLUMN "verification_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "gate_summaries" ADD CONSTRAINT "gate_summaries_attestation_id_attestations_id_fk" FOREIGN KEY ("attestation_id") REFERENCES "public"."attestations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "gate_standings_by_app" ON "gate_standings" USING btree ("app_id","compose_hash");--> statement-breakpoint
CREATE INDEX "gate_standings_by_policy" ON "gate_standings" USING btree ("policy","last_at");--> statement-breakpoint
CREATE INDEX "gate_standings_by_age" ON "gate_standings" USING btree ("last_at");--> statement-breakpoint
CREATE INDEX "gate_standings_unsigned" ON "gate_standings" USING btree ("changed_at") WHERE "gate_standings"."admitted" and "gate_standings"."signed_result" is distinct from "gate_standings"."result";--> statement-breakpoint
CREATE INDEX "gate_summaries_by_app" ON "gate_summaries" USING btree ("app_id","compose_hash");--> statement-breakpoint
CREATE INDEX "attestations_by_bundle" ON "attestations" USING btree ("bundle");--> statement-breakpoint
CREATE TRIGGER "gate_summaries_append_only" BEFORE UPDATE OR DELETE ON "gate_summaries" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();--> statement-breakpoint
CREATE TRIGGER "gate_summaries_no_truncate" BEFORE TRUNCATE ON "gate_summaries" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
