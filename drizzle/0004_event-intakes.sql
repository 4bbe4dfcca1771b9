CREATE TABLE "event_intakes" (
	"attempt_id" text PRIMARY KEY NOT NULL,
	"lease_id" text NOT NULL,
	"next" integer NOT NULL,
	"lines" integer NOT NULL,
	"bytes" bigint NOT NULL,
	CONSTRAINT "event_intakes_counts" CHECK ("event_intakes"."next" >= 1 and "event_intakes"."lines" >= 0 and "event_intakes"."bytes" >= 0)
);
--> statement-breakpoint
ALTER TABLE "event_intakes" ADD CONSTRAINT "event_intakes_attempt_id_attempts_id_fk" FOREIGN KEY ("attempt_id") REFERENCES "public"."attempts"("id") ON DELETE no action ON UPDATE no action;