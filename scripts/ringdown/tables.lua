-- SPDX-License-Identifier: Apache-2.0
-- tables: `needs.tables`, which tables of the database an agent may use by ringdown.db:
-- { "price_list", visits = "write" }. Those of Ringdown itself are nobody's to declare.
local nearest = require "ringdown.nearest"

local M = {}

-- Tables and views of sql/; a spec compares. Months of the partitioned ones are called calls_2026_11 and so on.
M.ours = [[adoptions agent_release_current agent_releases agent_trees agent_versions agents alert_engine
  alert_silences alert_states alerts api_requests appointments audit budget_calls budget_states budget_version budgets
  bulk_items bulk_runs call_cost_lines call_costs call_events call_legs calls calls_counted calls_daily calls_measured
  calls_recent costs_compared costs_daily customers demo_database force_now forces jobs near_misses node_leader
  node_processes nodes notices number_snapshots number_targets numbers_at_vapi numbers_seen numbers_shown
  numbers_version opt_outs phone_numbers rates recordings retention rollout_checks rollout_now rollouts
  routing_version schema_migrations sites sites_shown statistics statistics_coarse statistics_dirty statistics_hourly
  statistics_weeks store streams_begun synthetic_calls texts tickets tokens tool_calls triage_followers triage_matches
  triage_steps turns usage usage_hourly vapi_calls vapi_signatures vapi_writes weekly_mails]]

local reasons = {
  store = "use ringdown.store instead",
  customers = "tools.lookup_customer discloses what may be told",
  appointments = "tools.check_availability and tools.book_appointment are for it",
}

local function is_ours(table_name)
  if table_name:match("^pg_") or table_name:match("_%d%d%d%d_?%d%d$") then
    return true
  end
  return (" " .. M.ours:gsub("%s+", " ") .. " "):find(" " .. table_name .. " ", 1, true) ~= nil
end

local function check_name(name, at, complain)
  if type(name) ~= "string" or not (name:match("^[%l_][%l%d_]*$") or name:match("^[%l_][%l%d_]*%.[%l_][%l%d_]*$"))
    or #name > 120 then
    complain(at, ("%s is no table's name; write it like \"price_list\" or \"shop.price_list\""):format(tostring(name)))
    return false
  end
  local schema, own = name:match("^(.-)%.?([^.]*)$")
  local is_system = schema == "pg_catalog" or schema == "information_schema"
  if is_system or (schema == "" or schema == "public") and is_ours(own) then
    complain(at, ("'%s' is Ringdown's own: other callers' data is in it; %s"):format(name,
      reasons[own] or "declare tables of your own"))
    return false
  end
  return true
end

local rights = { "read", "write" }

---The shape; afterwards table → "read" or "write".
function M.shape(value, path, complain)
  local out = {}
  if type(value) ~= "table" then
    complain(path, 'must be a list of tables like { "price_list", visits = "write" }')
    return out
  end
  for key, item in pairs(value) do
    local name, right = item, "read"
    if type(key) == "string" then
      name, right = key, item
    end
    local at = path .. "." .. tostring(key)
    if right ~= "read" and right ~= "write" then
      complain(at, ("'%s' is no right; %s"):format(tostring(right), nearest.hint(right, rights)))
    elseif check_name(name, at, complain) then
      out[name] = out[name] == "write" and "write" or right
    end
  end
  return out
end

return M
