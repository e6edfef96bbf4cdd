-- A snapshot is believed only if an event of its log names its hash, and stored only by a function that looks for that name.

-- Snapshots that no event names are never read again. They are states that can be folded from the log, so they go.
truncate distilog.snapshots;

-- named_at: the position of the event that names the state. A state that is stored again has another one.
alter table distilog.snapshots add column named_at bigint not null;
alter table distilog.snapshots drop constraint snapshots_pkey;
alter table distilog.snapshots add constraint snapshots_pkey primary key (log_id, projection, version, fingerprint, position, named_at);

-- The owner may delete snapshots. Nobody has a reason to change one.
create trigger append_only before update on distilog.snapshots for each statement execute function distilog.refuse_change();
alter table distilog.snapshots enable always trigger append_only;

-- Stores states whose hashes the log names at p_named_at, once each.
create function distilog.store_snapshots(
  p_logs text[], p_projections text[], p_versions integer[], p_fingerprints text[], p_positions bigint[], p_named_at bigint[], p_states text[]
) returns void language plpgsql security definer set search_path = pg_catalog, pg_temp set standard_conforming_strings = on as $$
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
end $$;
revoke all on function distilog.store_snapshots from public;

-- What the program's own role may do: read, store chunks, append and store snapshots through the functions; nothing else.
create or replace function distilog.admit(role name) returns void
language plpgsql set search_path = pg_catalog, pg_temp set standard_conforming_strings = on as $$
#variable_conflict error
begin
  execute format('grant usage on schema distilog to %I', role);
  execute format('grant select on all tables in schema distilog to %I', role);
  execute format('grant insert on distilog.chunks to %I', role);
  execute format('revoke insert, update, delete on distilog.snapshots from %I', role);
  execute format('grant execute on function distilog.append, distilog.take_over, distilog.create_run, distilog.position_at, distilog.store_snapshots to %I', role);
end $$;

-- Every role that was admitted before.
select distilog.admit(r.rolname) from pg_class c, aclexplode(c.relacl) a join pg_roles r on r.oid = a.grantee
 where c.oid = 'distilog.snapshots'::regclass and a.privilege_type = 'INSERT' and a.grantee <> c.relowner;
