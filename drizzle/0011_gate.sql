CREATE TABLE "app_composes" (
	"app_id" text NOT NULL,
	"compose_hash" text NOT NULL,
	"owner_id" text NOT NULL,
	"admitted_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "app_composes_app_id_compose_hash_owner_id_pk" PRIMARY KEY("app_id","compose_hash","owner_id"),
	CONSTRAINT "app_composes_app_id_form" CHECK ("app_composes"."app_id" ~ '^[0-9a-f]{40}$')
);
--> statement-breakpoint
CREATE TABLE "gate_decisions" (
	"policy_sha256" text NOT NULL,
	"asked" text NOT NULL,
	"app_id" text NOT NULL,
	"compose_hash" text NOT NULL,
	"answer" text NOT NULL,
	"policy" text NOT NULL,
	"judged" text NOT NULL,
	"document" jsonb NOT NULL,
	"count" bigint NOT NULL,
	"first_at" timestamp (3) with time zone NOT NULL,
	"last_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "gate_decisions_policy_sha256_asked_app_id_compose_hash_answer_pk" PRIMARY KEY("policy_sha256","asked","app_id","compose_hash","answer"),
	CONSTRAINT "gate_decisions_compose_hash_form" CHECK ("gate_decisions"."compose_hash" ~ '^[0-9a-f]{64}$')
);
--> statement-breakpoint
ALTER TABLE "app_composes" ADD CONSTRAINT "app_composes_compose_hash_blobs_sha256_fk" FOREIGN KEY ("compose_hash") REFERENCES "public"."blobs"("sha256") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "app_composes" ADD CONSTRAINT "app_composes_owner_id_owners_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."owners"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "app_composes_by_hash" ON "app_composes" USING btree ("compose_hash");--> statement-breakpoint
CREATE INDEX "app_composes_page" ON "app_composes" USING btree ("app_id","admitted_at","compose_hash");--> statement-breakpoint
CREATE INDEX "gate_decisions_by_app" ON "gate_decisions" USING btree ("app_id","last_at");--> statement-breakpoint
CREATE INDEX "gate_decisions_by_age" ON "gate_decisions" USING btree ("last_at");--> statement-breakpoint
CREATE TRIGGER "app_composes_append_only" BEFORE UPDATE OR DELETE ON "app_composes" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();--> statement-breakpoint
CREATE TRIGGER "app_composes_no_truncate" BEFORE TRUNCATE ON "app_composes" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
