-- SPDX-License-Identifier: Apache-2.0
-- api.owners: between a route and the module that owns what it is about, which serves the command line as well: it
-- raises words for people and tells lines. Here they become problems and members of an answer.
local json = require "ringdown.json"
local problem = require "ringdown.api.problem"

local M = {}

-- Options of the command line in words that serve both, as this API calls them: `--max-failures` is `max_failures`.
-- What stands in a command to type stays.
local function in_a_command(before)
  local at = before:match ".*()ringdown %l"
  return at ~= nil and not before:sub(at):find "[;,.:)]%s"
end

---@param text string words of a module for people
---@return string as whoever asks by the API is told
function M.plain(text)
  local out, from = {}, 1
  for at, name, behind in text:gmatch "()%-%-(%l[%l-]*)()" do
    local before = text:sub(1, at - 1)
    if (at == 1 or before:find "[%s(\"'`]$") and not in_a_command(before) then
      out[#out + 1] = text:sub(from, at - 1) .. "`" .. name:gsub("%-", "_") .. "`"
      from = behind
      if text:sub(from):find "^ TEXT%f[%W]" then
        from = from + #" TEXT"
      end
    end
  end
  return table.concat(out) .. text:sub(from)
end

local function is_ours(why)
  return type(why) ~= "string" or why:match "%.lua:%d+:" ~= nil or why:match "^the database refused it" ~= nil
end

---Calls f; the database away or busy is 503, a value it does not take 422; everything else goes on.
function M.read(f, ...)
  local done = table.pack(pcall(f, ...))
  if done[1] then
    return table.unpack(done, 2, done.n)
  end
  problem.of_words(done[2])
  error(done[2], 0)
end

---Calls f; a refusal in words is 409 with these words, or what `other` makes of them.
---@param title string
---@param other (fun(why: string))? may raise another problem
---@param f fun(...): any
function M.change(title, other, f, ...)
  local done = table.pack(pcall(f, ...))
  if done[1] then
    return table.unpack(done, 2, done.n)
  end
  local why = done[2]
  problem.of_words(why)
  if is_ours(why) then
    error(why, 0)
  elseif other then
    other(why)
  end
  return problem(409, "refused", title, { detail = M.plain(why) })
end

---What a module tells: lines for people and notes.
---@return { tell: fun(value: table), lines: string[], notes: string[] }
function M.told()
  local self = { lines = json.array {}, notes = json.array {} }
  function self.tell(value)
    if value.text then
      table.insert(self.lines, M.plain(value.text))
    elseif value.note then
      table.insert(self.notes, M.plain(value.note))
    end
  end
  return self
end

---Raises 404.
---@param what string "There is no such number"
---@param detail string
---@param fix string?
function M.none(what, detail, fix)
  problem(404, "no-such-thing", what, { detail = detail, fix = fix })
end

---Whose rows a list has: of the agent that is asked for, of those the asker sees; nil: all.
---@param r table
---@return string[]?
function M.agents(r)
  local wanted = r.query and r.query.agent
  if wanted then
    return r.sees(wanted) and { wanted } or {}
  end
  return r.agents
end

---Agent `name` for this asker; raises 404 when it is none of theirs.
---@param r table
---@param name string?
---@param what string?
function M.see(r, name, what)
  if not r.sees(name) then
    M.none(what or "There is no such agent", "there is none that this token may see")
  end
end

---Numbers and rollouts are told as JSON texts; ids leave as text.
---@param row table
---@param ... string members
function M.as_text(row, ...)
  for _, name in ipairs { ... } do
    row[name] = row[name] ~= nil and tostring(row[name]) or nil
  end
  return row
end

---A page: one row more than was asked for tells that there are more.
---@param r table
---@param formats string[]
---@param key_of fun(row: table): string[]
---@param fetch fun(after: string[]?, limit: integer): table[]
function M.page(r, formats, key_of, fetch)
  local page = require "ringdown.api.page"
  local after = page.read(r.query.cursor, formats)
  local rows = M.read(fetch, after, r.query.limit + 1)
  return 200, page.answer(rows, r.query.limit, key_of)
end

---The query as a question to the module that owns the data, within what the asker may see.
---@param r table request
---@return table
function M.asked(r)
  local ask = {}
  for name, value in pairs(r.query) do
    ask[name] = value
  end
  if ask.agent then
    M.see(r, ask.agent)
  end
  ask.agents = r.agents
  return ask
end

return M
