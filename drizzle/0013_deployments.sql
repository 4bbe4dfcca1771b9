CREATE TABLE "deployment_composes" (
	"deployment_id" text NOT NULL,
	"sha256" text NOT NULL,
	CONSTRAINT "deployment_composes_deployment_id_sha256_pk" PRIMARY KEY("deployment_id","sha256")
);
--> statement-breakpoint
CREATE TABLE "deployments" (
	"id" text PRIMARY KEY NOT NULL,
	"owner_id" text NOT NULL,
	"name" text NOT NULL,
	"app_id" text,
	"compose_hash" text NOT NULL,
	"url" text,
	"state" text NOT NULL,
	"target" text,
	"policy" text,
	"order" jsonb,
	"admit" boolean,
	"events" jsonb,
	"said_key" text,
	"said_digest" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"withdrawn_at" timestamp (3) with time zone,
	CONSTRAINT "deployments_state" CHECK ("deployments"."state" in ('ordered', 'offered', 'allowed', 'committing', 'committed', 'attested', 'stopping', 'running', 'denied', 'failed', 'announced')),
	CONSTRAINT "deployments_compose_hash_form" CHECK ("deployments"."compose_hash" ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "deployments_app_id_form" CHECK ("deployments"."app_id" ~ '^[0-9a-f]{40}$'),
	CONSTRAINT "deployments_ordered" CHECK (num_nulls("deployments"."target", "deployments"."policy", "deployments"."order", "deployments"."admit", "deployments"."events") = case when "deployments"."state" = 'announced' then 5 else 0 end),
	CONSTRAINT "deployments_said" CHECK (("deployments"."said_key" is null) = ("deployments"."said_digest" is null))
);
--> statement-breakpoint
ALTER TABLE "deployment_composes" ADD CONSTRAINT "deployment_composes_deployment_id_deployments_id_fk" FOREIGN KEY ("deployment_id") REFERENCES "public"."deployments"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deployment_composes" ADD CONSTRAINT "deployment_composes_sha256_blobs_sha256_fk" FOREIGN KEY ("sha256") REFERENCES "public"."blobs"("sha256") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deployments" ADD CONSTRAINT "deployments_owner_id_owners_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."owners"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "deployment_composes_by_hash" ON "deployment_composes" USING btree ("sha256");--> statement-breakpoint
CREATE UNIQUE INDEX "deployments_said_once" ON "deployments" USING btree ("owner_id","said_key") WHERE "deployments"."said_key" is not null;--> statement-breakpoint
CREATE INDEX "deployments_page" ON "deployments" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "deployments_page_by_app" ON "deployments" USING btree ("app_id","created_at","id");--> statement-breakpoint
CREATE INDEX "deployments_page_by_owner" ON "deployments" USING btree ("owner_id","created_at","id");--> statement-breakpoint
CREATE INDEX "deployments_page_by_state" ON "deployments" USING btree ("state","created_at","id");--> statement-breakpoint
CREATE INDEX "deployments_alive" ON "deployments" USING btree ("created_at","id") WHERE "deployments"."withdrawn_at" is null and "deployments"."state" not in ('denied', 'failed');--> statement-breakpoint
CREATE INDEX "deployments_alive_by_owner" ON "deployments" USING btree ("owner_id") WHERE "deployments"."withdrawn_at" is null and "deployments"."state" not in ('denied', 'failed');--> statement-breakpoint
CREATE TRIGGER "deployments_final" BEFORE UPDATE ON "deployments" FOR EACH ROW
  WHEN (OLD."state" IN ('running', 'denied', 'failed', 'announced') AND
    (OLD."state", OLD."events", OLD."order", OLD."app_id", OLD."compose_hash", OLD."url") IS DISTINCT FROM
    (NEW."state", NEW."events", NEW."order", NEW."app_id", NEW."compose_hash", NEW."url"))
  EXECUTE FUNCTION "refuse_change_of_final"();--> statement-breakpoint
CREATE TRIGGER "deployments_kept" BEFORE DELETE ON "deployments" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();--> statement-breakpoint
CREATE TRIGGER "deployments_no_truncate" BEFORE TRUNCATE ON "deployments" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
