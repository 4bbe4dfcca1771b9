DROP INDEX "tokens_page";--> statement-breakpoint
CREATE INDEX "tokens_page" ON "tokens" USING btree ("created_at","id");