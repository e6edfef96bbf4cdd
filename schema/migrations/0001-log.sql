-- The log: heads, commits, events, and the chunks that events name. Frozen once released: a change is a new file.

-- Whoever prepares a schema for a role that may create none finds it taken as it is.
do $$ begin
  if to_regnamespace('distilog') is null then create schema distilog; end if;
end $$;

-- One row a log, the only one that appends update: its lock is what puts commits in order.
create table distilog.heads (
  log_id      text collate "C" primary key,
  position    bigint      not null,
  recorded_at timestamptz not null,
  epoch       bigint      not null,
  hash        bytea       not null
) with (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- One row an append: what makes it repeatable, its place in time, its link in the hash chain.
create table distilog.commits (
  log_id      text collate "C" not null,
  first       bigint      not null,
  last        bigint      not null,
  recorded_at timestamptz not null,
  clock       timestamptz not null,
  append_id   text collate "C" not null,
  epoch       bigint      not null,
  writer      text        not null,
  root        bytea       not null,
  hash        bytea       not null,
  constraint commits_pkey primary key (log_id, first),
  constraint commits_append_id unique (log_id, append_id),
  constraint commits_recorded_at unique (log_id, recorded_at)
);
-- Appends whose time leads the server's clock, because that was set back: none on most servers.
create index commits_ahead on distilog.commits (log_id, first) where recorded_at - clock > interval '1 second';

create table distilog.events (
  log_id      text collate "C" not null,
  position    bigint      not null,
  recorded_at timestamptz not null,
  type        text collate "C" not null,
  version     integer     not null,
  pass        integer,
  step        text collate "C",
  batch       bigint,
  attempt     integer,
  chunks      bytea[]     not null,
  -- Canonical JSON, as it was sent and hashed: jsonb would reorder keys. Cast it to query it: data::jsonb.
  data        text        not null,
  leaf        bytea       not null,
  constraint events_pkey primary key (log_id, position),
  -- An end of nothing in particular would stand beside another in the indexes below.
  constraint events_end_is_of_an_attempt
    check (type not in ('BatchSucceeded', 'BatchFailed', 'BatchAbandoned') or num_nulls(pass, step, batch, attempt) = 0)
);

-- One success a batch, one end an attempt: by force.
create unique index events_one_success on distilog.events (log_id, step, pass, batch) where type = 'BatchSucceeded';
create unique index events_one_end on distilog.events (log_id, step, pass, batch, attempt) where type in ('BatchSucceeded', 'BatchFailed', 'BatchAbandoned');
-- What earlier attempts at a batch recorded.
create index events_kept on distilog.events (log_id, step, pass, batch) where type in ('BatchProgressed', 'BatchFailed');
-- All but the daily business of batches: few in a log of millions, those that only a later program knows among them. A new version of one of the three
-- needs this index anew.
create index events_rare on distilog.events (log_id, position) where type not in ('BatchStarted', 'BatchProgressed', 'BatchSucceeded') or version > 1;

-- Rows of batches, addressed by the SHA-256 of their uncompressed encoding; compressed by the client. Never deleted, so an append that looks whether
-- the chunks it names are there has looked for good.
create table distilog.chunks (
  sha256 bytea   primary key,
  codec  text    not null,
  length bigint  not null,
  body   bytea   not null
);
alter table distilog.chunks alter column body set storage external;

-- States of folds, disposable: every one can be computed again from the log.
create table distilog.snapshots (
  log_id      text collate "C" not null,
  projection  text collate "C" not null,
  version     integer not null,
  fingerprint text collate "C" not null,
  position    bigint  not null,
  state       text    not null,
  constraint snapshots_pkey primary key (log_id, projection, version, fingerprint, position)
);

-- History as people query it.
create view distilog.history as
  select log_id, position, recorded_at, type, version, pass, step, batch, attempt, chunks, data::jsonb as data from distilog.events;

-- A field of a hash, with its length before it: no two lists of fields give the same bytes. src/log/hash-chain.ts is its twin.
-- Parsed here and now, so no caller's search path reaches it, and PostgreSQL can write it into the queries that use it.
create function distilog.frame(field text) returns bytea language sql stable parallel safe
  return coalesce(int8send(octet_length(field)::bigint) || convert_to(field, 'UTF8'), int8send(-1));

-- The same for digits and commas, decimal or hexadecimal, which are the same bytes in every encoding: to convert them would take longer than all else.
create function distilog.ascii_frame(field text) returns bytea language sql stable parallel safe
  return coalesce(int8send(octet_length(field)::bigint) || textsend(field), int8send(-1));

create function distilog.microseconds(at timestamptz) returns bigint language sql immutable parallel safe
  return (extract(epoch from at) * 1000000)::bigint;

-- The hash of one event: all its columns and the bytes of its data. chunks are comma-joined in hexadecimal. data is framed by hand, so that what is by far
-- the longest field is copied once.
create function distilog.leaf(type text, version integer, pass integer, step text, batch bigint, attempt integer, chunks text, data text)
returns bytea language sql stable parallel safe
  return sha256(
    distilog.frame(type) || distilog.ascii_frame(version::text) || distilog.ascii_frame(pass::text) || distilog.frame(step) ||
    distilog.ascii_frame(batch::text) || distilog.ascii_frame(attempt::text) || distilog.ascii_frame(chunks) ||
    int8send(octet_length(data)::bigint) || convert_to(data, 'UTF8'));

-- outcome: ok, or the code of a refusal. recorded_at in microseconds.
create type distilog.append_result as (outcome text, message text, first bigint, last bigint, recorded_at bigint, hash bytea, epoch bigint, duplicate boolean);

-- One append, the whole of its transaction; p_raise: a takeover's. Called as it is, not through a function in SQL, which would be planned at each call.
create function distilog.append(
  p_log text, p_epoch bigint, p_append_id text, p_expected bytea, p_writer text,
  p_types text[], p_versions integer[], p_passes integer[], p_steps text[], p_batches bigint[], p_attempts integer[], p_chunks text[], p_data text[],
  p_addresses bytea[] default '{}', p_codecs text[] default '{}', p_lengths bigint[] default '{}', p_bodies bytea[] default '{}', p_raise boolean default false
) returns distilog.append_result language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  head      distilog.heads%rowtype;
  known     distilog.commits%rowtype;
  root      bytea;
  new_hash  bytea;
  clock     timestamptz;
  at        timestamptz;
  at_micros bigint;
  count     integer := cardinality(p_types);
  new_epoch bigint;
  -- All chunks that are named, comma-joined.
  named     text := array_to_string(array_remove(p_chunks, ''), ',');
  missing   text;
begin
  -- 1. One at a time. After a wait, READ COMMITTED reads the row again, so a takeover meanwhile is seen here.
  select * into head from distilog.heads where log_id = p_log for no key update;
  if not found then return row('unknown-log', format('there is no log %s', p_log), null, null, null, null, null, false)::distilog.append_result; end if;

  -- What is hashed is what will be read: chunks are stored as bytes, so they have one text. That they are whole is for step 9 to say.
  if array_position(p_chunks, null) is not null or encode(decode(replace(named, ',', ''), 'hex'), 'hex') <> replace(named, ',', '') then
    raise exception 'chunks are comma-joined SHA-256 in lower-case hexadecimal' using errcode = '22023';
  end if;

  -- 2. Sent before, and the answer lost: the same answer again, to a fenced writer too.
  select * into known from distilog.commits c where c.log_id = p_log and c.append_id = p_append_id;
  if found then
    select sha256(string_agg(distilog.leaf(t, v, p, s, b, a, c, d), ''::bytea order by n)) into root
      from unnest(p_types, p_versions, p_passes, p_steps, p_batches, p_attempts, p_chunks, p_data) with ordinality as e (t, v, p, s, b, a, c, d, n);
    if known.root is distinct from root then
      return row('append-id-reused', format('append %s is known with other events', p_append_id), null, null, null, null, null, false)::distilog.append_result;
    end if;
    return row('ok', null, known.first, known.last, distilog.microseconds(known.recorded_at), known.hash, known.epoch, true)::distilog.append_result;
  end if;

  -- 3. Who may write: the run's driver; on a side log, anyone.
  if (p_epoch is null and p_log not like '%/side') or p_epoch < head.epoch then
    return row('fenced', format('the epoch is %s, and the writer''s %s', head.epoch, coalesce(p_epoch::text, 'none')), null, null, null, null, head.epoch, false)::distilog.append_result;
  end if;
  -- 4. After what: a server that fell back to an older copy would give positions out twice. So would one that forgot an epoch.
  if p_epoch > head.epoch or p_expected <> head.hash then
    return row('history-diverged', format('the log ends at position %s, epoch %s, with another hash than the writer saw', head.position, head.epoch), null, null, null, null, null, false)::distilog.append_result;
  end if;

  -- 5. The chunks that come along; sorted, so that two appends that have some in common wait for each other in one order only.
  if p_addresses <> '{}' then
    insert into distilog.chunks (sha256, codec, length, body)
      select a, c, l, b from unnest(p_addresses, p_codecs, p_lengths, p_bodies) as e (a, c, l, b) order by a
      on conflict (sha256) do nothing;
  end if;

  -- 6. Time never goes back, positions have no gaps.
  clock := clock_timestamp();
  at := case when head.position = 0 then clock else greatest(clock, head.recorded_at + interval '1 microsecond') end;
  at_micros := distilog.microseconds(at);
  new_epoch := head.epoch + case when p_raise then 1 else 0 end;

  -- 7. The events, gone through once, and the chain.
  with stored as (
    insert into distilog.events (log_id, position, recorded_at, type, version, pass, step, batch, attempt, chunks, data, leaf)
      select p_log, head.position + n, at, t, v, p, s, b, a,
             -- The text of an array, where a cast would otherwise be a query for each event.
             case when c = '' then '{}' else '{"\\x' || replace(c, ',', '","\\x') || '"}' end::bytea[],
             d, distilog.leaf(t, v, p, s, b, a, c, d)
        from unnest(p_types, p_versions, p_passes, p_steps, p_batches, p_attempts, p_chunks, p_data) with ordinality as e (t, v, p, s, b, a, c, d, n)
      returning position, leaf)
    select sha256(string_agg(leaf, ''::bytea order by position)) into root from stored;
  new_hash := sha256(
    distilog.ascii_frame(encode(head.hash, 'hex')) || distilog.ascii_frame(encode(root, 'hex')) || distilog.frame(p_log) ||
    distilog.ascii_frame((head.position + 1)::text) || distilog.ascii_frame((head.position + count)::text) ||
    distilog.ascii_frame(at_micros::text) || distilog.ascii_frame(distilog.microseconds(clock)::text) ||
    distilog.frame(p_append_id) || distilog.ascii_frame(new_epoch::text) || distilog.frame(p_writer));

  -- 8. Where the log ends now, and what brought it there.
  update distilog.heads h set position = head.position + count, recorded_at = at, epoch = new_epoch, hash = new_hash where h.log_id = p_log;
  insert into distilog.commits values (p_log, head.position + 1, head.position + count, at, clock, p_append_id, new_epoch, p_writer, root, new_hash);

  -- 9. Nothing but chunks that are stored. Each is looked up by its address, few as the chunks may be when this is planned: a session keeps its plan.
  if named <> '' then
    select x into missing from (select distinct x from unnest(string_to_array(named, ',')) as x) as c
      where not exists (select from distilog.chunks k where k.sha256 = decode(x, 'hex') offset 0) limit 1;
    if found then raise exception 'chunk % is not stored', missing using errcode = '23503'; end if;
  end if;
  return row('ok', null, head.position + 1, head.position + count, at_micros, new_hash, new_epoch, false)::distilog.append_result;
end $$;

-- Appends, and raises the epoch: from then on, whoever drove before is fenced.
create function distilog.take_over(
  p_log text, p_epoch bigint, p_append_id text, p_expected bytea, p_writer text,
  p_types text[], p_versions integer[], p_passes integer[], p_steps text[], p_batches bigint[], p_attempts integer[], p_chunks text[], p_data text[]
) returns distilog.append_result language sql security definer set search_path = pg_catalog, pg_temp as $$
  select distilog.append(p_log, p_epoch, p_append_id, p_expected, p_writer, p_types, p_versions, p_passes, p_steps, p_batches, p_attempts, p_chunks, p_data,
                         p_raise => true)
$$;

-- Makes a run's log and its side log, and appends the run's first events.
create function distilog.create_run(
  p_run text, p_append_id text, p_writer text,
  p_types text[], p_versions integer[], p_passes integer[], p_steps text[], p_batches bigint[], p_attempts integer[], p_chunks text[], p_data text[]
) returns distilog.append_result language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if p_run like '%/side' or p_run = '' then raise exception 'not a run''s id: %', p_run using errcode = '22023'; end if;
  insert into distilog.heads values (p_run, 0, 'epoch', 1, ''), (p_run || '/side', 0, 'epoch', 1, '') on conflict do nothing;
  if not found and not exists (select from distilog.commits c where c.log_id = p_run and c.append_id = p_append_id) then
    return row('already-recorded', format('there is a run %s', p_run), null, null, null, null, null, false)::distilog.append_result;
  end if;
  return distilog.append(p_run, 1, p_append_id, null, p_writer, p_types, p_versions, p_passes, p_steps, p_batches, p_attempts, p_chunks, p_data);
end $$;

-- The last position recorded by an instant. At or after the head's time it waits for an append in flight, which is then in, or later than the instant.
create function distilog.position_at(p_log text, p_at timestamptz) returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare found_last bigint;
begin
  perform from distilog.heads h where h.log_id = p_log and h.recorded_at <= p_at for share;
  select c.last into found_last from distilog.commits c where c.log_id = p_log and c.recorded_at <= p_at order by c.recorded_at desc limit 1;
  return coalesce(found_last, 0);
end $$;

-- History is never changed: not by accident, and not by the role that owns it either, unless it switches this off, which verify then shows.
create function distilog.refuse_change() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '% on distilog.% is refused: history is append-only', tg_op, tg_table_name using errcode = '42501';
end $$;

do $$
declare name text;
begin
  foreach name in array array['commits', 'events', 'chunks'] loop
    execute format('create trigger append_only before update or delete on distilog.%I for each statement execute function distilog.refuse_change()', name);
    execute format('create trigger append_only_truncate before truncate on distilog.%I for each statement execute function distilog.refuse_change()', name);
    execute format('alter table distilog.%I enable always trigger append_only', name);
    execute format('alter table distilog.%I enable always trigger append_only_truncate', name);
  end loop;
  create trigger append_only before delete on distilog.heads for each statement execute function distilog.refuse_change();
  create trigger append_only_truncate before truncate on distilog.heads for each statement execute function distilog.refuse_change();
  alter table distilog.heads enable always trigger append_only;
  alter table distilog.heads enable always trigger append_only_truncate;
end $$;

revoke all on schema distilog from public;
revoke all on all tables in schema distilog from public;
revoke all on all functions in schema distilog from public;

-- What the program's own role may do: read, store chunks and snapshots, append through the functions; nothing else.
create function distilog.admit(role name) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('grant usage on schema distilog to %I', role);
  execute format('grant select on all tables in schema distilog to %I', role);
  execute format('grant insert on distilog.chunks to %I', role);
  execute format('grant insert, update, delete on distilog.snapshots to %I', role);
  execute format('grant execute on function distilog.append, distilog.take_over, distilog.create_run, distilog.position_at to %I', role);
end $$;
revoke all on function distilog.admit from public;

-- A server without that role has one that does everything. Where it is made later, migrating again admits it.
select distilog.admit(rolname) from pg_roles where rolname = 'distilog_app';
