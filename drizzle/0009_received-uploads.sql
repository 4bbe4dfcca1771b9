CREATE TABLE "received_uploads" (
	"id" text PRIMARY KEY NOT NULL,
	"owner_id" text NOT NULL,
	"bytes" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "received_uploads_bytes" CHECK ("received_uploads"."bytes" >= 0)
);
--> statement-breakpoint
ALTER TABLE "received_uploads" ADD CONSTRAINT "received_uploads_owner_id_owners_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."owners"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "received_uploads_by_owner" ON "received_uploads" USING btree ("owner_id","at");--> statement-breakpoint
CREATE INDEX "received_uploads_by_age" ON "received_uploads" USING btree ("at");