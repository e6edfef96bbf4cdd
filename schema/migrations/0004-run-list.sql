-- The list of runs, newest first: of all pipelines, and of one. A page reads as many rows as it shows, however many runs there are.
create index events_runs on distilog.events (recorded_at, log_id) where position = 1 and log_id not like '%/side';
create index events_runs_of_pipeline on distilog.events ((data::jsonb -> 'manifest' ->> 'pipeline'), recorded_at, log_id)
  where position = 1 and log_id not like '%/side';
