CREATE TABLE "observations" (
	"id" text PRIMARY KEY NOT NULL,
	"deployment_id" text NOT NULL,
	"app_id" text NOT NULL,
	"url" text NOT NULL,
	"verdict" text,
	"code" text,
	"document" jsonb,
	"outcome" text NOT NULL,
	"count" integer NOT NULL,
	"first_at" timestamp (3) with time zone NOT NULL,
	"last_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "observations_verdict" CHECK ("observations"."verdict" in ('verified', 'simulated', 'unproven', 'failed')),
	CONSTRAINT "observations_seen" CHECK (("observations"."verdict" is null) = ("observations"."document" is null) and ("observations"."verdict" is null) = ("observations"."code" is not null)),
	CONSTRAINT "observations_outcome_form" CHECK ("observations"."outcome" ~ '^[0-9a-f]{64}$')
);
--> statement-breakpoint
ALTER TABLE "observations" ADD CONSTRAINT "observations_deployment_id_deployments_id_fk" FOREIGN KEY ("deployment_id") REFERENCES "public"."deployments"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "observations_page" ON "observations" USING btree ("app_id","first_at","id");--> statement-breakpoint
CREATE INDEX "observations_by_deployment" ON "observations" USING btree ("deployment_id","first_at","id");--> statement-breakpoint
CREATE INDEX "observations_by_age" ON "observations" USING btree ("last_at");