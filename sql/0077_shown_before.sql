-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- What will be written is told by what writes it: visits, caps and prices are changed, looked at and put back when only
-- that is asked for. Caps and prices are changed from what was seen of them, as visits are.

-- As in 0065, and `dry_run` in the wish.
create or replace function visit_change(which bigint, version text, wish jsonb, who text) returns jsonb language plpgsql as $$
declare
    old appointments;
    made appointments;
    begins timestamptz;
    done jsonb;
begin
    select * into old from appointments where id = which for update;
    if not found then
        return null;
    elsif version <> visit_version(old) then
        return '{"stale": true}';
    elsif old.status = 'cancelled' then
        return case when wish ->> 'status' = 'cancelled' then '{"changed": false}'::jsonb else '{"cancelled": true}' end;
    end if;
    begins := coalesce((wish ->> 'begins')::timestamptz, lower(old.during));
    made := old;
    made.status := coalesce(wish ->> 'status', old.status);
    made.resource := coalesce(wish ->> 'resource', old.resource);
    made.during := tstzrange(begins, begins + coalesce(make_interval(mins => (wish ->> 'minutes')::integer),
        upper(old.during) - lower(old.during)));
    if (made.status, made.resource, made.during) is not distinct from (old.status, old.resource, old.during) then
        return '{"changed": false}';
    end if;
    done := jsonb_build_object('changed', true, 'was', visit_facts(old), 'becomes', visit_facts(made),
        'is_past', begins < now() and begins <> lower(old.during));
    begin
        update appointments set status = made.status, resource = made.resource, during = made.during, updated_at = now()
            where id = which;
        if (wish ->> 'dry_run')::boolean then
            raise exception 'only looked at' using errcode = 'RD001'; -- which puts it back
        end if;
    exception
        when exclusion_violation then
            return '{"taken": true}';
        when sqlstate 'RD001' then
            return done;
    end;
    insert into audit (who, what, subject, before, after) values (who,
        case when made.status = 'cancelled' then 'appointment.cancel' else 'appointment.move' end, which::text,
        visit_facts(old), visit_facts(made));
    return done;
end $$;

-- ── caps ────────────────────────────────────────────────────────────────────────────────────────

-- What is set of an agent here; '0': nothing is.
create function budget_seen(of_agent text) returns text language sql stable as $$
    select coalesce((select substr(md5(jsonb_build_array(b.day_micro_usd, b.call_micro_usd)::text), 1, 16)
        from budgets b where b.agent = of_agent), '0')
$$;

-- As in 0046; from `version` of budget_seen(), if it is said.
drop function budget_put(text, bigint, bigint, text);
create function budget_put(of_agent text, day bigint, each_call bigint, of_who text, version text default null,
    dry_run boolean default false) returns jsonb language plpgsql as $$
declare
    old budgets;
    was jsonb;
begin
    perform pg_advisory_xact_lock(hashtext('ringdown.budgets'));
    select * into old from budgets where agent = of_agent;
    was := case when old.agent is not null then jsonb_build_object('day_micro_usd', old.day_micro_usd,
        'call_micro_usd', old.call_micro_usd, 'set_by', old.who) end;
    if version <> budget_seen(of_agent) then
        return '{"stale": true}';
    elsif (old.day_micro_usd, old.call_micro_usd) is not distinct from (day, each_call) then
        return jsonb_build_object('changed', false, 'was', was);
    elsif dry_run then
        return jsonb_build_object('changed', true, 'was', was);
    end if;
    if day is null and each_call is null then
        delete from budgets where agent = of_agent;
    else
        insert into budgets (agent, day_micro_usd, call_micro_usd, who) values (of_agent, day, each_call, of_who)
            on conflict (agent) do update set day_micro_usd = excluded.day_micro_usd,
                call_micro_usd = excluded.call_micro_usd, who = excluded.who, at = now();
    end if;
    insert into audit (who, what, subject, before, after) values (of_who, 'budget.set', of_agent,
        case when old.agent is not null then to_jsonb(old) - array['who', 'at'] end,
        jsonb_strip_nulls(jsonb_build_object('day_micro_usd', day, 'call_micro_usd', each_call)));
    return jsonb_build_object('changed', true, 'was', was);
end $$;

-- ── prices ──────────────────────────────────────────────────────────────────────────────────────

create function rates_seen(of_what text, of_model text, of_unit text) returns text language sql stable as $$
    select substr(md5(coalesce(jsonb_agg(jsonb_build_array(r.micro_usd_per_million, r.valid_from) order by r.valid_from),
        '[]')::text), 1, 16) from rates r where (r.what, r.model, r.unit) = (of_what, of_model, of_unit)
$$;

-- As in 0044; from `version` of rates_seen(), if it is said. Stale: {"stale": …} alone.
drop function rate_set(text, text, text, bigint, timestamptz, text, text);
create function rate_set(of_what text, of_model text, of_unit text, price bigint, from_at timestamptz, of_source text,
    who text, version text default null, dry_run boolean default false) returns jsonb language plpgsql as $$
#variable_conflict use_column
declare
    seen text;
    old rates;
    made rates;
    following timestamptz;
begin
    perform pg_advisory_xact_lock(hashtext('ringdown.rates'));
    seen := rates_seen(of_what, of_model, of_unit);
    select * into old from rates where what = of_what and model = of_model and unit = of_unit
        and from_at >= valid_from and (valid_to is null or from_at < valid_to);
    if version <> seen then
        return jsonb_build_object('stale', seen, 'was', to_jsonb(old) - 'id');
    end if;
    select min(valid_from) into following from rates
        where what = of_what and model = of_model and unit = of_unit and valid_from > from_at;
    begin
        if old.valid_from = from_at then
            update rates set micro_usd_per_million = price, source = of_source where id = old.id returning * into made;
        else
            update rates set valid_to = from_at where id = old.id;
            insert into rates (what, model, unit, micro_usd_per_million, valid_from, valid_to, source)
                values (of_what, of_model, of_unit, price, from_at, following, of_source) returning * into made;
        end if;
        if dry_run then
            raise exception 'only looked at' using errcode = 'RD001'; -- which puts it back
        end if;
    exception when sqlstate 'RD001' then
        return to_jsonb(made) - 'id' || jsonb_build_object('seen', seen, 'was', case when old.id is not null
            then to_jsonb(old) - 'id' end);
    end;
    insert into audit (who, what, subject, before, after) values (who, 'rate.set',
        concat_ws(' ', of_what, nullif(of_model, ''), of_unit), case when old.id is not null then to_jsonb(old) end,
        to_jsonb(made));
    return to_jsonb(made) || jsonb_build_object('seen', rates_seen(of_what, of_model, of_unit), 'was',
        case when old.id is not null then to_jsonb(old) - 'id' end);
end $$;
