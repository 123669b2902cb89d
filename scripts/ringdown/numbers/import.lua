-- SPDX-License-Identifier: Apache-2.0
-- numbers.import: assignments from a table: one line per number, "number,agent,site", the site may be left out. A line
-- that is wrong is told with its number, and the others are done.
local agents = require "ringdown.numbers.agents"
local db = require "ringdown.numbers.db"
local host = require "ringdown.host"
local json = require "ringdown.json"
local nearest = require "ringdown.nearest"
local sorted = require "ringdown.sorted"

local M = {}

local function cells_of(line)
  local cells = {}
  for cell in (line .. ","):gmatch("([^,]*),") do
    cells[#cells + 1] = cell:match('^%s*"?(.-)"?%s*$')
  end
  return cells
end

local function sites_of()
  local sites = {}
  for _, one in ipairs(db.ask([[select coalesce(jsonb_agg(jsonb_build_array(agent, site)), '[]')::text from sites]])) do
    sites[one[1] .. "/" .. one[2]] = true
  end
  return sites
end

-- What is wrong with a line; nil: nothing.
local function complaint(cells, all, sites)
  local number, agent, site = cells[1], cells[2], cells[3]
  if #cells > 3 then
    return "has more than three columns; they are number,agent,site"
  elseif not number:match("^%+[1-9]%d%d%d%d%d%d%d?%d?%d?%d?%d?%d?%d?%d?$") then
    return ("'%s' is no number like +13125550100"):format(number)
  elseif not agent or not all.by_name[agent] then
    return ("there is no agent '%s'; %s"):format(agent or "", nearest.hint(agent or "", sorted.keys(all.by_name)))
  elseif site and site ~= "" and site ~= "default" and not sites[agent .. "/" .. site] then
    return ("agent %s has no site '%s'; import it first: ringdown sites import FILE.lua --agent %s"):format(agent, site,
      agent)
  end
end

-- How many of them are new. A question for each would take a minute for ten thousand.
local function put(lines, tell)
  local n_changed, n_done = 0, 0
  for part in db.parts(lines) do
    n_changed = n_changed + db.ask([[select to_json(count(*) filter (where number_put(x ->> 0, x ->> 1, x ->> 2,
      $2)))::text from jsonb_array_elements($1::jsonb) x]], { json.encode(part), host.who() })
    n_done = n_done + #part
    if n_done % 1000 == 0 then
      tell { progress = ("%d of %d"):format(n_done, #lines) }
    end
  end
  return n_changed
end

-- What spreadsheets put before the first line.
local function without_mark(text)
  return text:sub(1, 3) == "\xEF\xBB\xBF" and text:sub(4) or text
end

local function is_header(at, cells)
  return at == 1 and (cells[1] or ""):lower() == "number"
end

-- How many would be new.
local function compare(lines)
  local n = 0
  for part in db.parts(lines) do
    n = n + db.ask([[select to_json(count(*))::text from jsonb_array_elements($1::jsonb) x
      where not exists (select from phone_numbers p where p.number = x ->> 0 and p.agent = x ->> 1
        and p.site is not distinct from (x ->> 2)::label)]], { json.encode(part) })
  end
  return n
end

---@param payload { text: string, dry_run: boolean?, sees: (fun(agent: string): boolean)? } sees: whose numbers may be
---  assigned; nil: anybody's
function M.run(payload, tell)
  local all, sites, at, n_wrong, lines = agents.load(), sites_of(), 0, 0, {}
  for line in (without_mark(payload.text) .. "\n"):gmatch("(.-)\r?\n") do
    at = at + 1
    local cells = cells_of(line)
    if line:match("%S") and not line:match("^%s*#") and not is_header(at, cells) then
      local why = complaint(cells, all, sites)
      if not why and payload.sees and not (payload.sees(cells[2]) and payload.sees((all:of(cells[1]) or {}).name)) then
        why = ("%s is none of your numbers, or %s none of your agents"):format(cells[1], cells[2])
      end
      if why then
        n_wrong = n_wrong + 1
        tell { text = ("line %d: %s"):format(at, why), line = at }
      else
        local site = cells[3]
        lines[#lines + 1] = json.array { cells[1], cells[2], site ~= "" and site ~= "default" and site or nil }
      end
    end
  end
  local n_changed = payload.dry_run and compare(lines) or put(lines, tell)
  local n_same = #lines - n_changed
  tell { text = ("%d numbers assigned, %d were so before, %d lines are wrong. Where Twilio sends them is not touched: "
    .. "ringdown numbers switch does that."):format(n_changed, n_same, n_wrong) }
  return { assigned = n_changed, same = n_same, wrong = n_wrong, failed = n_wrong > 0 }
end

return M
