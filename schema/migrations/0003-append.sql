-- The functions that append, rewritten: no session setting changes what they store, and what is stored is compared with what was sent.
--
-- A function with a body in quotes is parsed when it is called, under the settings of then. Each has its own: its path, how its literals are read, how bytes
-- become text. Functions of the form `return …` are parsed here and now; they have no settings, because PostgreSQL then writes them into the queries that
-- use them. None reads or writes a time, a number or bytes as text in a form that a setting chooses.

-- The same bytes as before; textsend goes through the client's encoding.
create or replace function distilog.ascii_frame(field text) returns bytea language sql stable parallel safe
  return coalesce(int8send(octet_length(field)::bigint) || decode(field, 'escape'), int8send(-1));

-- clock: the server's, in microseconds. previous: the hash that the append follows. With both, the client computes hash itself.
alter type distilog.append_result add attribute clock bigint;
alter type distilog.append_result add attribute previous bytea;

drop function distilog.create_run, distilog.take_over, distilog.append;

-- What can be seen of a chunk without unpacking it: that bytes which are not compressed have their address, that others begin as zstd's do.
create function distilog.is_chunk(address bytea, codec text, length bigint, body bytea) returns boolean language sql immutable parallel safe
  return octet_length(address) = 32 and case codec
    when 'none' then length = octet_length(body) and sha256(body) = address
    when 'zstd' then length > octet_length(body) and substring(body from 1 for 4) = decode('28b52ffd', 'hex')
    else false end;

-- Stores chunks, each under its address, once. Refuses what can be seen to be wrong: a chunk that is not compressed and does not have its address, a codec
-- that no client knows. Returns the addresses under which other bytes were stored before: they may be the same rows, compressed by another version, which
-- only a client can tell.
create function distilog.store_chunks(p_addresses bytea[], p_codecs text[], p_lengths bigint[], p_bodies bytea[]) returns bytea[]
language plpgsql security definer set search_path = pg_catalog, pg_temp set standard_conforming_strings = on set enable_seqscan = off as $$
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
end $$;

-- One append, the whole of its transaction; p_raise: a takeover's. Called as it is, not through a function in SQL, which would be planned at each call.
-- p_leaves: the hash of each event, as the client computed it. What is stored must have it.
create function distilog.append(
  p_log text, p_epoch bigint, p_append_id text, p_expected bytea, p_writer text,
  p_types text[], p_versions integer[], p_passes integer[], p_steps text[], p_batches bigint[], p_attempts integer[], p_chunks text[], p_data text[], p_leaves bytea[],
  p_addresses bytea[] default array[]::bytea[], p_codecs text[] default array[]::text[], p_lengths bigint[] default array[]::bigint[],
  p_bodies bytea[] default array[]::bytea[], p_raise boolean default false
) returns distilog.append_result language plpgsql security definer
set search_path = pg_catalog, pg_temp set standard_conforming_strings = on set bytea_output = hex set enable_seqscan = off as $$
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
end $$;

-- Appends, and raises the epoch: from then on, whoever drove before is fenced.
create function distilog.take_over(
  p_log text, p_epoch bigint, p_append_id text, p_expected bytea, p_writer text,
  p_types text[], p_versions integer[], p_passes integer[], p_steps text[], p_batches bigint[], p_attempts integer[], p_chunks text[], p_data text[], p_leaves bytea[]
) returns distilog.append_result language plpgsql security definer set search_path = pg_catalog, pg_temp set standard_conforming_strings = on as $$
#variable_conflict error
begin
  return distilog.append(p_log, p_epoch, p_append_id, p_expected, p_writer, p_types, p_versions, p_passes, p_steps, p_batches, p_attempts, p_chunks, p_data, p_leaves,
                         p_raise => true);
end $$;

-- Makes a run's log and its side log, and appends the run's first events.
create function distilog.create_run(
  p_run text, p_append_id text, p_writer text,
  p_types text[], p_versions integer[], p_passes integer[], p_steps text[], p_batches bigint[], p_attempts integer[], p_chunks text[], p_data text[], p_leaves bytea[]
) returns distilog.append_result language plpgsql security definer set search_path = pg_catalog, pg_temp set standard_conforming_strings = on as $$
#variable_conflict error
begin
  if p_run like '%/side' or p_run = '' then raise exception 'not a run''s id: %', p_run using errcode = '22023'; end if;
  insert into distilog.heads values (p_run, 0, to_timestamp(0), 1, ''::bytea), (p_run || '/side', 0, to_timestamp(0), 1, ''::bytea) on conflict do nothing;
  if not found and not exists (select from distilog.commits c where c.log_id = p_run and c.append_id = p_append_id) then
    return row('already-recorded', format('there is a run %s', p_run), null, null, null, null, null, false, null, null)::distilog.append_result;
  end if;
  return distilog.append(p_run, 1, p_append_id, null, p_writer, p_types, p_versions, p_passes, p_steps, p_batches, p_attempts, p_chunks, p_data, p_leaves);
end $$;

create or replace function distilog.position_at(p_log text, p_at timestamptz) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp set standard_conforming_strings = on as $$
#variable_conflict error
declare found_last bigint;
begin
  perform from distilog.heads h where h.log_id = p_log and h.recorded_at <= p_at for share;
  select c.last into found_last from distilog.commits c where c.log_id = p_log and c.recorded_at <= p_at order by c.recorded_at desc limit 1;
  return coalesce(found_last, 0);
end $$;

create or replace function distilog.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp set standard_conforming_strings = on as $$
#variable_conflict error
begin
  raise exception '% on distilog.% is refused: history is append-only', tg_op, tg_table_name using errcode = '42501';
end $$;

-- What the program's own role may do: read; append, store chunks and snapshots through the functions; nothing else.
create or replace function distilog.admit(role name) returns void
language plpgsql set search_path = pg_catalog, pg_temp set standard_conforming_strings = on as $$
#variable_conflict error
begin
  execute format('grant usage on schema distilog to %I', role);
  execute format('grant select on all tables in schema distilog to %I', role);
  execute format('revoke insert on distilog.chunks from %I', role);
  execute format('revoke insert, update, delete on distilog.snapshots from %I', role);
  execute format('grant execute on function distilog.append, distilog.take_over, distilog.create_run, distilog.position_at to %I', role);
  execute format('grant execute on function distilog.store_chunks, distilog.store_snapshots to %I', role);
end $$;

revoke all on function distilog.is_chunk, distilog.store_chunks, distilog.append, distilog.take_over, distilog.create_run from public;

-- Every role that was admitted before.
select distilog.admit(r.rolname) from pg_class c, aclexplode(c.relacl) a join pg_roles r on r.oid = a.grantee
 where c.oid = 'distilog.chunks'::regclass and a.privilege_type = 'INSERT' and a.grantee <> c.relowner;
