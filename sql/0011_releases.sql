-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Agents as source: every folder of agents that was ever loaded or published, and which one is the current release.

-- One folder of agents as it was at one moment. The same files are the same tree, wherever they lay.
create table agent_trees (
    tree_hash text primary key check (tree_hash ~ '^[0-9a-f]{64}$'),
    files jsonb not null check (jsonb_typeof(files) = 'object'), -- path → text
    agents jsonb not null default '{}' check (jsonb_typeof(agents) = 'object'), -- name → version, numbers, files
    first_at timestamptz not null default now(),
    last_at timestamptz not null default now() check (last_at >= first_at),
    node label -- which loaded it first from a folder; null: it was published
);
create index on agent_trees (last_at);

create table agent_releases (
    id bigint generated always as identity primary key,
    tree_hash text not null references agent_trees,
    published_by label not null,
    at timestamptz not null default now(),
    note text check (length(note) <= 500),
    restores bigint references agent_releases -- the release whose files these are
);
create index on agent_releases (tree_hash);

-- At most one row: what every node with agents.source = "database" shall run.
create table agent_release_current (
    only_one boolean primary key default true check (only_one),
    release bigint not null references agent_releases,
    changed_at timestamptz not null default now()
);

create function current_release() returns bigint language sql stable as $$
    select release from agent_release_current
$$;

-- Makes these files the current release. `expected`: which one is current as far as the asker knows (null: none);
-- when it is another meanwhile, nothing is changed (SQLSTATE RD409).
create function publish_agents(hash text, of_files jsonb, of_agents jsonb, by_whom text, why text, expected bigint,
    restored bigint default null) returns bigint language plpgsql as $$
declare
    before bigint;
    made bigint;
begin
    perform pg_advisory_xact_lock(hashtext('ringdown agent releases'));
    before := current_release();
    if before is distinct from expected then
        raise exception 'release % is the current one meanwhile', coalesce(before::text, '(none)')
            using errcode = 'RD409', hint = 'look at it with: ringdown agents diff; then publish again';
    end if;
    insert into agent_trees (tree_hash, files, agents) values (hash, of_files, of_agents)
        on conflict (tree_hash) do update set agents = excluded.agents, last_at = now();
    insert into agent_releases (tree_hash, published_by, note, restores) values (hash, by_whom, why, restored)
        returning id into made;
    insert into agent_release_current (release) values (made)
        on conflict (only_one) do update set release = excluded.release, changed_at = now();
    insert into audit (who, what, subject, before, after) values (by_whom,
        case when restored is null then 'agents.publish' else 'agents.restore' end, 'agents',
        case when before is not null then jsonb_build_object('release', before) end,
        jsonb_strip_nulls(jsonb_build_object('release', made, 'tree', hash, 'restores', restored, 'note', why)));
    perform pg_notify('ringdown_agents', made::text);
    return made;
end $$;

-- What a node loaded from its folder, so that it can be had again. Those that were never published go after 90 days,
-- and the oldest when there are more than 1,000.
create function keep_agent_tree(hash text, of_files jsonb, of_agents jsonb, by_node text) returns void
language plpgsql as $$
begin
    insert into agent_trees (tree_hash, files, agents, node) values (hash, of_files, of_agents, by_node)
        on conflict (tree_hash) do update set agents = excluded.agents, last_at = now();
    delete from agent_trees t where t.node is not null
        and not exists (select from agent_releases r where r.tree_hash = t.tree_hash)
        and (t.last_at < now() - interval '90 days' or t.tree_hash in (
            select u.tree_hash from agent_trees u where u.node is not null order by u.last_at desc offset 1000));
end $$;

-- A release by its number, a tree by the beginning of its hash, or the newest folder in which an agent had a version.
create function find_agent_tree(wanted text) returns table (tree_hash text, files jsonb, agents jsonb, release bigint,
    agent text) language sql stable as $$
    select t.tree_hash, t.files, t.agents, r.id, null from agent_releases r join agent_trees t using (tree_hash)
        where r.id = case when wanted ~ '^[0-9]{1,15}$' then wanted::bigint end
    union all
    (select t.tree_hash, t.files, t.agents, null, v.key from agent_trees t, jsonb_each(t.agents) v
        where wanted ~ '^[0-9a-f]{16}$' and v.value ->> 'version' = wanted order by t.last_at desc limit 1)
    union all
    (select t.tree_hash, t.files, t.agents, null, null from agent_trees t
        where wanted ~ '^[0-9a-f]{17,64}$' and t.tree_hash like wanted || '%' limit 1)
    limit 1
$$;
