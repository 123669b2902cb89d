-- SPDX-License-Identifier: Apache-2.0
-- numbers.show: what is known of a number, and what was done about numbers, as the database has it. Twilio is not
-- asked.
local db = require "ringdown.numbers.db"

local M = {}

local function add(lines, format, ...)
  lines[#lines + 1] = format:format(...)
end

local function at(text)
  return text and text:sub(1, 16):gsub("T", " ") or "never"
end

local function of_twilio(one, lines)
  if not one.seen_at then
    add(lines, "  at Twilio    not looked yet: ringdown numbers sync")
    return
  end
  add(lines, "  at Twilio    calls go to %s, texts to %s; seen %s%s", one.goes_to, one.texts_to, at(one.seen_at),
    one.gone_at and "; GONE from the account" or "")
  add(lines, "               %s", one.fields.voice_url ~= "" and one.fields.voice_url or "(no voice_url)")
  add(lines, "  at Vapi      %s", one.vapi_id and ("imported, assistant %s"):format(one.vapi_assistant or "none")
    or one.vapi_seen_at and "not imported" or "not looked")
end

local function in_lines(one)
  local lines = { one.number }
  add(lines, "  agent        %s", one.agent and ("%s, site %s"):format(one.agent, one.site or "default")
    or "not assigned: the agent whose file has it, or the only one")
  of_twilio(one, lines)
  if one.target then
    add(lines, "  made so      to %s by %s on %s%s", one.target, one.set_by, at(one.set_at),
      one.drift and "; it is NOT so any more: ringdown numbers drift" or "")
  end
  for _, s in ipairs(one.snapshots) do
    add(lines, "  snapshot %d  %s by %s%s", s.id, at(s.taken_at), s.taken_by, s.undone_at and ", undone" or "")
  end
  return table.concat(lines, "\n")
end

---@param payload { numbers: string[] }
function M.run(payload, tell)
  local n_missing = 0
  for _, number in ipairs(payload.numbers or {}) do
    local one = db.ask([[select (jsonb_strip_nulls(to_jsonb(n)) || jsonb_build_object('snapshots',
        coalesce((select jsonb_agg(jsonb_strip_nulls(to_jsonb(s)) order by s.id desc) from (select *
          from number_snapshots where number = n.number order by id desc limit 10) s), '[]')))::text
      from numbers_shown n where number = $1]], { number })
    if one then
      one.text = in_lines(one)
      tell(one)
    else
      n_missing = n_missing + 1
      tell { text = ("%s is not known; ringdown numbers sync looks at Twilio"):format(number), number = number }
    end
  end
  return { missing = n_missing, failed = n_missing > 0 }
end

---The last bulk runs. Of one that is not done, `left` are the last 200 numbers that are not as wished.
function M.runs(_, tell)
  local runs = db.ask([[select coalesce(jsonb_agg(jsonb_strip_nulls(to_jsonb(r) - 'held_by')
      || jsonb_build_object('items', (select jsonb_object_agg(state, n) from (select state, count(*) as n
        from bulk_items i where i.run = r.run group by state) s), 'left', (select coalesce(jsonb_agg(number), '[]')
        from (select number from bulk_items i where i.run = r.run and r.state <> 'done' and i.state <> 'verified'
          order by place desc limit 200) l)) order by run desc), '[]')::text
    from (select * from bulk_runs order by run desc limit 20) r]])
  for _, one in ipairs(runs) do
    local parts = {}
    for _, state in ipairs { "verified", "failed", "planned", "snapshotted", "written" } do
      parts[#parts + 1] = one.items and one.items[state] and ("%d %s"):format(one.items[state], state)
    end
    one.text = ("run %-5d %s  %s%s  %s  %s"):format(one.run, at(one.started_at), one.action,
      one.goes_to and " to " .. one.goes_to or "", one.state, table.concat(parts, ", "))
    tell(one)
  end
  if #runs == 0 then
    tell { text = "No number was switched or restored yet." }
  end
  return { runs = #runs }
end

return M
