-- The schema after all migrations, generated from the catalogue by tools/generate.ts: read this, not the history of migrations.

-- Columns
distilog.append_result.outcome text
distilog.append_result.message text
distilog.append_result.first bigint
distilog.append_result.last bigint
distilog.append_result.recorded_at bigint
distilog.append_result.hash bytea
distilog.append_result.epoch bigint
distilog.append_result.duplicate boolean
distilog.append_result.clock bigint
distilog.append_result.previous bytea
distilog.chunks.sha256 bytea not null
distilog.chunks.codec text not null
distilog.chunks.length bigint not null
distilog.chunks.body bytea not null
distilog.commits.log_id text not null
distilog.commits.first bigint not null
distilog.commits.last bigint not null
distilog.commits.recorded_at timestamp with time zone not null
distilog.commits.clock timestamp with time zone not null
distilog.commits.append_id text not null
distilog.commits.epoch bigint not null
distilog.commits.writer text not null
distilog.commits.root bytea not null
distilog.commits.hash bytea not null
distilog.events.log_id text not null
distilog.events."position" bigint not null
distilog.events.recorded_at timestamp with time zone not null
distilog.events.type text not null
distilog.events.version integer not null
distilog.events.pass integer
distilog.events.step text
distilog.events.batch bigint
distilog.events.attempt integer
distilog.events.chunks bytea[] not null
distilog.events.data text not null
distilog.events.leaf bytea not null
distilog.heads.log_id text not null
distilog.heads."position" bigint not null
distilog.heads.recorded_at timestamp with time zone not null
distilog.heads.epoch bigint not null
distilog.heads.hash bytea not null
distilog.history.log_id text
distilog.history."position" bigint
distilog.history.recorded_at timestamp with time zone
distilog.history.type text
distilog.history.version integer
distilog.history.pass integer
distilog.history.step text
distilog.history.batch bigint
distilog.history.attempt integer
distilog.history.chunks bytea[]
distilog.history.data jsonb
distilog.migration_lock.id character varying(255) not null
distilog.migration_lock.is_locked integer not null
distilog.migrations.name character varying(255) not null
distilog.migrations."timestamp" character varying(255) not null
distilog.snapshots.log_id text not null
distilog.snapshots.projection text not null
distilog.snapshots.version integer not null
distilog.snapshots.fingerprint text not null
distilog.snapshots."position" bigint not null
distilog.snapshots.state text not null
distilog.snapshots.named_at bigint not null

-- Constraints
chunks_pkey: PRIMARY KEY (sha256)
commits_append_id: UNIQUE (log_id, append_id)
commits_pkey: PRIMARY KEY (log_id, first)
commits_recorded_at: UNIQUE (log_id, recorded_at)
events_end_is_of_an_attempt: CHECK (((type <> ALL (ARRAY['BatchSucceeded'::text, 'BatchFailed'::text, 'BatchAbandoned'::text])) OR (num_nulls(pass, step, batch, attempt) = 0)))
events_pkey: PRIMARY KEY (log_id, "position")
heads_pkey: PRIMARY KEY (log_id)
migration_lock_pkey: PRIMARY KEY (id)
migrations_pkey: PRIMARY KEY (name)
snapshots_pkey: PRIMARY KEY (log_id, projection, version, fingerprint, "position", named_at)

-- Indexes
CREATE UNIQUE INDEX chunks_pkey ON distilog.chunks USING btree (sha256);
CREATE INDEX commits_ahead ON distilog.commits USING btree (log_id, first) WHERE ((recorded_at - clock) > '00:00:01'::interval);
CREATE UNIQUE INDEX commits_append_id ON distilog.commits USING btree (log_id, append_id);
CREATE UNIQUE INDEX commits_pkey ON distilog.commits USING btree (log_id, first);
CREATE UNIQUE INDEX commits_recorded_at ON distilog.commits USING btree (log_id, recorded_at);
CREATE INDEX events_kept ON distilog.events USING btree (log_id, step, pass, batch) WHERE (type = ANY (ARRAY['BatchProgressed'::text, 'BatchFailed'::text]));
CREATE UNIQUE INDEX events_one_end ON distilog.events USING btree (log_id, step, pass, batch, attempt) WHERE (type = ANY (ARRAY['BatchSucceeded'::text, 'BatchFailed'::text, 'BatchAbandoned'::text]));
CREATE UNIQUE INDEX events_one_success ON distilog.events USING btree (log_id, step, pass, batch) WHERE (type = 'BatchSucceeded'::text);
CREATE UNIQUE INDEX events_pkey ON distilog.events USING btree (log_id, "position");
CREATE INDEX events_rare ON distilog.events USING btree (log_id, "position") WHERE ((type <> ALL (ARRAY['BatchStarted'::text, 'BatchProgressed'::text, 'BatchSucceeded'::text])) OR (version > 1));
CREATE INDEX events_runs ON distilog.events USING btree (recorded_at, log_id) WHERE (("position" = 1) AND (log_id !~~ '%/side'::text));
CREATE INDEX events_runs_of_pipeline ON distilog.events USING btree (((((data)::jsonb -> 'manifest'::text) ->> 'pipeline'::text)), recorded_at, log_id) WHERE (("position" = 1) AND (log_id !~~ '%/side'::text));
CREATE UNIQUE INDEX heads_pkey ON distilog.heads USING btree (log_id);
CREATE UNIQUE INDEX migration_lock_pkey ON distilog.migration_lock USING btree (id);
CREATE UNIQUE INDEX migrations_pkey ON distilog.migrations USING btree (name);
CREATE UNIQUE INDEX snapshots_pkey ON distilog.snapshots USING btree (log_id, projection, version, fingerprint, "position", named_at);

-- Views
create view distilog.history as SELECT log_id,
    "position",
    recorded_at,
    type,
    version,
    pass,
    step,
    batch,
    attempt,
    chunks,
    (data)::jsonb AS data
   FROM distilog.events;

-- Triggers
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON distilog.chunks FOR EACH STATEMENT EXECUTE FUNCTION distilog.refuse_change(); -- fires always
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON distilog.chunks FOR EACH STATEMENT EXECUTE FUNCTION distilog.refuse_change(); -- fires always
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON distilog.commits FOR EACH STATEMENT EXECUTE FUNCTION distilog.refuse_change(); -- fires always
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON distilog.commits FOR EACH STATEMENT EXECUTE FUNCTION distilog.refuse_change(); -- fires always
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON distilog.events FOR EACH STATEMENT EXECUTE FUNCTION distilog.refuse_change(); -- fires always
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON distilog.events FOR EACH STATEMENT EXECUTE FUNCTION distilog.refuse_change(); -- fires always
CREATE TRIGGER append_only BEFORE DELETE ON distilog.heads FOR EACH STATEMENT EXECUTE FUNCTION distilog.refuse_change(); -- fires always
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON distilog.heads FOR EACH STATEMENT EXECUTE FUNCTION distilog.refuse_change(); -- fires always
CREATE TRIGGER append_only BEFORE UPDATE ON distilog.snapshots FOR EACH STATEMENT EXECUTE FUNCTION distilog.refuse_change(); -- fires always

-- Grants
chunks: distilog_app=r/distilog_owner distilog_owner=arwdDxtm/distilog_owner
commits: distilog_app=r/distilog_owner distilog_owner=arwdDxtm/distilog_owner
events: distilog_app=r/distilog_owner distilog_owner=arwdDxtm/distilog_owner
heads: distilog_app=r/distilog_owner distilog_owner=arwdDxtm/distilog_owner
history: distilog_app=r/distilog_owner distilog_owner=arwdDxtm/distilog_owner
migration_lock: distilog_app=r/distilog_owner distilog_owner=arwdDxtm/distilog_owner
migrations: distilog_app=r/distilog_owner distilog_owner=arwdDxtm/distilog_owner
snapshots: distilog_app=r/distilog_owner distilog_owner=arwdDxtm/distilog_owner

-- Functions
CREATE OR REPLACE FUNCTION distilog.admit(role name)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET standard_conforming_strings TO 'on'
AS $function$
#variable_conflict error
begin
  execute format('grant usage on schema distilog to %I', role);
  execute format('grant select on all tables in schema distilog to %I', role);
  execute format('revoke insert on distilog.chunks from %I', role);
  execute format('revoke insert, update, delete on distilog.snapshots from %I', role);
  execute format('grant execute on function distilog.append, distilog.take_over, distilog.create_run, distilog.position_at to %I', role);
  execute format('grant execute on function distilog.store_chunks, distilog.store_snapshots to %I', role);
end $function$
;
-- distilog_owner=X/distilog_owner

CREATE OR REPLACE FUNCTION distilog.append(p_log text, p_epoch bigint, p_append_id text, p_expected bytea, p_writer text, p_types text[], p_versions integer[], p_passes integer[], p_steps text[], p_batches bigint[], p_attempts integer[], p_chunks text[], p_data text[], p_leaves bytea[], p_addresses bytea[] DEFAULT ARRAY[]::bytea[], p_codecs text[] DEFAULT ARRAY[]::text[], p_lengths bigint[] DEFAULT ARRAY[]::bigint[], p_bodies bytea[] DEFAULT ARRAY[]::bytea[], p_raise boolean DEFAULT false)
 RETURNS distilog.append_result
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET standard_conforming_strings TO 'on'
 SET bytea_output TO 'hex'
 SET enable_seqscan TO 'off'
AS $function$
#variable_conflict error
declare
  head      distilog.heads%rowtype;
  known     distilog.commits%rowtype;
  made      distilog.commits%rowtype;
  ended     distilog.heads%rowtype;
  root      bytea;
  new_hash  bytea;
  clock     timestamptz;
  at        timestamptz;
  at_micros bigint;
  count     integer := cardinality(p_types);
  new_epoch bigint;
  is_sent   boolean;
  -- What an array writes before the digits of bytes, and bytes by themselves: no literal with a backslash, whose meaning is a setting.
  digits    text := chr(92) || 'x';
  element   text := chr(34) || chr(92) || digits;
  -- All chunks that are named, comma-joined.
  named     text := array_to_string(array_remove(p_chunks, ''), ',');
  differing bytea[];
  missing   text;
begin
  -- 1. One at a time. After a wait, READ COMMITTED reads the row again, so a takeover meanwhile is seen here.
  select h.* into head from distilog.heads h where h.log_id = p_log for no key update;
  if not found then return row('unknown-log', format('there is no log %s', p_log), null, null, null, null, null, false, null, null)::distilog.append_result; end if;

  -- What is hashed is what will be read: chunks are stored as bytes, so they have one text. That they are whole is for step 9 to say.
  if array_position(p_chunks, null) is not null or encode(decode(replace(named, ',', ''), 'hex'), 'hex') <> replace(named, ',', '') then
    raise exception 'chunks are comma-joined SHA-256 in lower-case hexadecimal' using errcode = '22023';
  end if;

  -- 2. Sent before, and the answer lost: the same answer again, to a fenced writer too.
  select c.* into known from distilog.commits c where c.log_id = p_log and c.append_id = p_append_id;
  if found then
    select sha256(string_agg(distilog.leaf(t, v, p, s, b, a, c, d), ''::bytea order by n)) into root
      from unnest(p_types, p_versions, p_passes, p_steps, p_batches, p_attempts, p_chunks, p_data) with ordinality as e (t, v, p, s, b, a, c, d, n);
    if known.root is distinct from root then
      return row('append-id-reused', format('append %s is known with other events', p_append_id), null, null, null, null, null, false, null, null)::distilog.append_result;
    end if;
    select c.* into made from distilog.commits c where c.log_id = p_log and c.first < known.first order by c.first desc limit 1;
    return row('ok', null, known.first, known.last, distilog.microseconds(known.recorded_at), known.hash, known.epoch, true,
               distilog.microseconds(known.clock), coalesce(made.hash, ''::bytea))::distilog.append_result;
  end if;

  -- 3. Who may write: the run's driver; on a side log, anyone.
  if (p_epoch is null and p_log not like '%/side') or p_epoch < head.epoch then
    return row('fenced', format('the epoch is %s, and the writer''s %s', head.epoch, coalesce(p_epoch::text, 'none')), null, null, null, null, head.epoch, false, null, null)::distilog.append_result;
  end if;
  -- 4. After what: a server that fell back to an older copy would give positions out twice. So would one that forgot an epoch.
  if p_epoch > head.epoch or p_expected <> head.hash then
    return row('history-diverged', format('the log ends at position %s, epoch %s, with another hash than the writer saw', head.position, head.epoch), null, null, null, null, null, false, null, null)::distilog.append_result;
  end if;

  -- 5. The chunks that come along. Where other bytes are stored under an address, the client looks at them before anything names them.
  if p_addresses <> array[]::bytea[] then
    differing := distilog.store_chunks(p_addresses, p_codecs, p_lengths, p_bodies);
    if differing <> array[]::bytea[] then
      return row('chunks-differ', replace(array_to_string(differing, ','), digits, ''), null, null, null, null, null, false, null, null)::distilog.append_result;
    end if;
  end if;

  -- 6. Time never goes back, positions have no gaps.
  clock := clock_timestamp();
  at := case when head.position = 0 then clock else greatest(clock, head.recorded_at + make_interval(secs => 0.000001)) end;
  at_micros := distilog.microseconds(at);
  new_epoch := head.epoch + case when p_raise then 1 else 0 end;

  -- 7. The events, gone through once, and the chain. Compared is what the table took, whatever stands before it.
  with stored as (
    insert into distilog.events (log_id, position, recorded_at, type, version, pass, step, batch, attempt, chunks, data, leaf)
      select p_log, head.position + n, at, t, v, p, s, b, a,
             -- The text of an array, where a cast would otherwise be a query for each event.
             case when c = '' then '{}' else '{' || element || replace(c, ',', chr(34) || ',' || element) || chr(34) || '}' end::bytea[],
             d, l
        from unnest(p_types, p_versions, p_passes, p_steps, p_batches, p_attempts, p_chunks, p_data, p_leaves) with ordinality as e (t, v, p, s, b, a, c, d, l, n)
      returning events.position, leaf, recorded_at = at and log_id = p_log and leaf = distilog.leaf(
                  type, version, pass, step, batch, attempt, replace(array_to_string(chunks, ','), digits, ''), data) as is_sent)
    select sha256(string_agg(stored.leaf, ''::bytea order by stored.position)),
           bool_and(stored.is_sent) and min(stored.position) = head.position + 1 and max(stored.position) = head.position + count
             and array_agg(stored.leaf order by stored.position) = p_leaves
      into root, is_sent from stored;
  if not is_sent then
    raise exception 'positions % to % would be stored with another hash than they were sent with', head.position + 1, head.position + count using errcode = 'DL001';
  end if;
  new_hash := sha256(
    distilog.ascii_frame(encode(head.hash, 'hex')) || distilog.ascii_frame(encode(root, 'hex')) || distilog.frame(p_log) ||
    distilog.ascii_frame((head.position + 1)::text) || distilog.ascii_frame((head.position + count)::text) ||
    distilog.ascii_frame(at_micros::text) || distilog.ascii_frame(distilog.microseconds(clock)::text) ||
    distilog.frame(p_append_id) || distilog.ascii_frame(new_epoch::text) || distilog.frame(p_writer));

  -- 8. Where the log ends now, and what brought it there.
  update distilog.heads h set position = head.position + count, recorded_at = at, epoch = new_epoch, hash = new_hash where h.log_id = p_log returning h.* into ended;
  insert into distilog.commits values (p_log, head.position + 1, head.position + count, at, clock, p_append_id, new_epoch, p_writer, root, new_hash)
    returning * into made;
  if ended is distinct from row(p_log, head.position + count, at, new_epoch, new_hash)::distilog.heads
     or made is distinct from row(p_log, head.position + 1, head.position + count, at, clock, p_append_id, new_epoch, p_writer, root, new_hash)::distilog.commits then
    raise exception 'the append of positions % to % would be stored otherwise than it was sent', head.position + 1, head.position + count using errcode = 'DL001';
  end if;

  -- 9. Nothing but chunks that are stored. Each is looked up by its address, few as the chunks may be when this is planned: a session keeps its plan.
  if named <> '' then
    select x into missing from (select distinct x from unnest(string_to_array(named, ',')) as x) as c
      where not exists (select from distilog.chunks k where k.sha256 = decode(x, 'hex') offset 0) limit 1;
    if found then raise exception 'chunk % is not stored', missing using errcode = '23503'; end if;
  end if;
  return row('ok', null, head.position + 1, head.position + count, at_micros, new_hash, new_epoch, false, distilog.microseconds(clock), head.hash)::distilog.append_result;
end $function$
;
-- distilog_app=X/distilog_owner distilog_owner=X/distilog_owner

CREATE OR REPLACE FUNCTION distilog.ascii_frame(field text)
 RETURNS bytea
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN COALESCE((int8send((octet_length(field))::bigint) || decode(field, 'escape'::text)), int8send(('-1'::integer)::bigint))
;
-- distilog_owner=X/distilog_owner

CREATE OR REPLACE FUNCTION distilog.create_run(p_run text, p_append_id text, p_writer text, p_types text[], p_versions integer[], p_passes integer[], p_steps text[], p_batches bigint[], p_attempts integer[], p_chunks text[], p_data text[], p_leaves bytea[])
 RETURNS distilog.append_result
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET standard_conforming_strings TO 'on'
AS $function$
#variable_conflict error
begin
  if p_run like '%/side' or p_run = '' then raise exception 'not a run''s id: %', p_run using errcode = '22023'; end if;
  insert into distilog.heads values (p_run, 0, to_timestamp(0), 1, ''::bytea), (p_run || '/side', 0, to_timestamp(0), 1, ''::bytea) on conflict do nothing;
  if not found and not exists (select from distilog.commits c where c.log_id = p_run and c.append_id = p_append_id) then
    return row('already-recorded', format('there is a run %s', p_run), null, null, null, null, null, false, null, null)::distilog.append_result;
  end if;
  return distilog.append(p_run, 1, p_append_id, null, p_writer, p_types, p_versions, p_passes, p_steps, p_batches, p_attempts, p_chunks, p_data, p_leaves);
end $function$
;
-- distilog_app=X/distilog_owner distilog_owner=X/distilog_owner

CREATE OR REPLACE FUNCTION distilog.frame(field text)
 RETURNS bytea
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN COALESCE((int8send((octet_length(field))::bigint) || convert_to(field, 'UTF8'::name)), int8send(('-1'::integer)::bigint))
;
-- distilog_owner=X/distilog_owner

CREATE OR REPLACE FUNCTION distilog.is_chunk(address bytea, codec text, length bigint, body bytea)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN ((octet_length(address) = 32) AND CASE codec WHEN 'none'::text THEN ((length = octet_length(body)) AND (sha256(body) = address)) WHEN 'zstd'::text THEN ((length > octet_length(body)) AND (SUBSTRING(body FROM 1 FOR 4) = decode('28b52ffd'::text, 'hex'::text))) ELSE false END)
;
-- distilog_owner=X/distilog_owner

CREATE OR REPLACE FUNCTION distilog.leaf(type text, version integer, pass integer, step text, batch bigint, attempt integer, chunks text, data text)
 RETURNS bytea
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN sha256(((((((((distilog.frame(type) || distilog.ascii_frame((version)::text)) || distilog.ascii_frame((pass)::text)) || distilog.frame(step)) || distilog.ascii_frame((batch)::text)) || distilog.ascii_frame((attempt)::text)) || distilog.ascii_frame(chunks)) || int8send((octet_length(data))::bigint)) || convert_to(data, 'UTF8'::name)))
;
-- distilog_owner=X/distilog_owner

CREATE OR REPLACE FUNCTION distilog.microseconds(at timestamp with time zone)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN ((EXTRACT(epoch FROM at) * (1000000)::numeric))::bigint
;
-- distilog_owner=X/distilog_owner

CREATE OR REPLACE FUNCTION distilog.position_at(p_log text, p_at timestamp with time zone)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET standard_conforming_strings TO 'on'
AS $function$
#variable_conflict error
declare found_last bigint;
begin
  perform from distilog.heads h where h.log_id = p_log and h.recorded_at <= p_at for share;
  select c.last into found_last from distilog.commits c where c.log_id = p_log and c.recorded_at <= p_at order by c.recorded_at desc limit 1;
  return coalesce(found_last, 0);
end $function$
;
-- distilog_app=X/distilog_owner distilog_owner=X/distilog_owner

CREATE OR REPLACE FUNCTION distilog.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET standard_conforming_strings TO 'on'
AS $function$
#variable_conflict error
begin
  raise exception '% on distilog.% is refused: history is append-only', tg_op, tg_table_name using errcode = '42501';
end $function$
;
-- distilog_owner=X/distilog_owner

CREATE OR REPLACE FUNCTION distilog.store_chunks(p_addresses bytea[], p_codecs text[], p_lengths bigint[], p_bodies bytea[])
 RETURNS bytea[]
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET standard_conforming_strings TO 'on'
 SET enable_seqscan TO 'off'
AS $function$
#variable_conflict error
declare
  added integer;
  wrong bytea;
begin
  if p_addresses = array[]::bytea[] then return p_addresses; end if;
  -- Sorted, so that two transactions that have some in common wait for each other in one order only. By number: bodies would be copied, and go through a
  -- file where they are large.
  insert into distilog.chunks (sha256, codec, length, body)
    select p_addresses[i], p_codecs[i], p_lengths[i], p_bodies[i] from (select i from generate_subscripts(p_addresses, 1) as i order by p_addresses[i]) as e
     where distilog.is_chunk(p_addresses[i], p_codecs[i], p_lengths[i], p_bodies[i])
    on conflict (sha256) do nothing;
  get diagnostics added = row_count;
  if added = cardinality(p_addresses) then return array[]::bytea[]; end if;

  select e.a into wrong from unnest(p_addresses, p_codecs, p_lengths, p_bodies) as e (a, c, l, b)
   where not coalesce(distilog.is_chunk(e.a, e.c, e.l, e.b), false) limit 1;
  if found then raise exception 'chunk % does not have the bytes of its address', encode(wrong, 'hex') using errcode = '22023'; end if;
  return array(
    select distinct e.a from unnest(p_addresses, p_codecs, p_lengths, p_bodies) as e (a, c, l, b) join distilog.chunks k on k.sha256 = e.a
     where (k.codec, k.length, k.body) is distinct from (e.c, e.l, e.b));
end $function$
;
-- distilog_app=X/distilog_owner distilog_owner=X/distilog_owner

CREATE OR REPLACE FUNCTION distilog.store_snapshots(p_logs text[], p_projections text[], p_versions integer[], p_fingerprints text[], p_positions bigint[], p_named_at bigint[], p_states text[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET standard_conforming_strings TO 'on'
AS $function$
#variable_conflict error
declare bad record;
begin
  select s.* into bad from unnest(p_logs, p_projections, p_versions, p_fingerprints, p_positions, p_named_at, p_states) as s (log, projection, version, fingerprint, position, named_at, state)
    where not exists (
      select from distilog.events e
        where e.log_id = s.log and e.position = s.named_at and s.position < s.named_at and e.type = 'SnapshotsTaken' and e.version = 1
          and e.data::jsonb @> jsonb_build_object(
                'position', s.position, 'fingerprint', s.fingerprint,
                'states', jsonb_build_array(jsonb_build_object(
                  'projection', s.projection, 'version', s.version, 'sha256', encode(sha256(convert_to(s.state, 'UTF8')), 'hex')))))
    limit 1;
  if found then
    raise exception 'position % of log % does not name this snapshot of % at position %', bad.named_at, bad.log, bad.projection, bad.position using errcode = '23503';
  end if;

  insert into distilog.snapshots (log_id, projection, version, fingerprint, position, named_at, state)
    select * from unnest(p_logs, p_projections, p_versions, p_fingerprints, p_positions, p_named_at, p_states)
    on conflict do nothing;

  select s.* into bad from unnest(p_logs, p_projections, p_versions, p_fingerprints, p_positions, p_named_at, p_states) as s (log, projection, version, fingerprint, position, named_at, state)
    join distilog.snapshots k on k.log_id = s.log and k.projection = s.projection and k.version = s.version and k.fingerprint = s.fingerprint
                             and k.position = s.position and k.named_at = s.named_at
    where convert_to(k.state, 'UTF8') <> convert_to(s.state, 'UTF8')
    limit 1;
  if found then
    raise exception 'another snapshot of % is stored at position % of log %', bad.projection, bad.position, bad.log using errcode = '23505';
  end if;
end $function$
;
-- distilog_app=X/distilog_owner distilog_owner=X/distilog_owner

CREATE OR REPLACE FUNCTION distilog.take_over(p_log text, p_epoch bigint, p_append_id text, p_expected bytea, p_writer text, p_types text[], p_versions integer[], p_passes integer[], p_steps text[], p_batches bigint[], p_attempts integer[], p_chunks text[], p_data text[], p_leaves bytea[])
 RETURNS distilog.append_result
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET standard_conforming_strings TO 'on'
AS $function$
#variable_conflict error
begin
  return distilog.append(p_log, p_epoch, p_append_id, p_expected, p_writer, p_types, p_versions, p_passes, p_steps, p_batches, p_attempts, p_chunks, p_data, p_leaves,
                         p_raise => true);
end $function$
;
-- distilog_app=X/distilog_owner distilog_owner=X/distilog_owner
