-- What was recorded stays as it was recorded, whatever program is connected. The service knows the refusal by its code, BW001.
CREATE FUNCTION "refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'BW001';
END $$;
--> statement-breakpoint
CREATE FUNCTION "refuse_change_of_final"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a row of % is final', TG_TABLE_NAME USING ERRCODE = 'BW001';
END $$;
--> statement-breakpoint
CREATE TRIGGER "events_append_only" BEFORE UPDATE OR DELETE ON "events" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
--> statement-breakpoint
CREATE TRIGGER "events_no_truncate" BEFORE TRUNCATE ON "events" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
--> statement-breakpoint
CREATE TRIGGER "attempt_tries_append_only" BEFORE UPDATE OR DELETE ON "attempt_tries" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
--> statement-breakpoint
CREATE TRIGGER "attempt_tries_no_truncate" BEFORE TRUNCATE ON "attempt_tries" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
--> statement-breakpoint
CREATE TRIGGER "attestations_append_only" BEFORE UPDATE OR DELETE ON "attestations" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
--> statement-breakpoint
CREATE TRIGGER "attestations_no_truncate" BEFORE TRUNCATE ON "attestations" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
--> statement-breakpoint
CREATE TRIGGER "verifications_final" BEFORE UPDATE ON "verifications" FOR EACH ROW
  WHEN (OLD."state" IN ('finished', 'cancelled')) EXECUTE FUNCTION "refuse_change_of_final"();
--> statement-breakpoint
CREATE TRIGGER "verifications_kept" BEFORE DELETE ON "verifications" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
--> statement-breakpoint
CREATE TRIGGER "verifications_no_truncate" BEFORE TRUNCATE ON "verifications" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
--> statement-breakpoint
CREATE TRIGGER "attempts_final" BEFORE UPDATE ON "attempts" FOR EACH ROW
  WHEN (OLD."state" = 'committed') EXECUTE FUNCTION "refuse_change_of_final"();
--> statement-breakpoint
CREATE TRIGGER "attempts_kept" BEFORE DELETE ON "attempts" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
--> statement-breakpoint
CREATE TRIGGER "attempts_no_truncate" BEFORE TRUNCATE ON "attempts" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
