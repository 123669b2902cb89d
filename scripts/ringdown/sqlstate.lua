-- SPDX-License-Identifier: Apache-2.0
-- sqlstate: what a code of host.query means for whoever asked, in one place:
--
--   away    nobody answers, or somebody who can do nothing for us now: full, going down, a mere copy
--   busy    it is there, and did not come to this: too slow, locked, in another's way; ask for less, or again
--   value   it does not take what was given
--   nil     it refuses the question: our mistake, or an answer that the asker knows how to read
--
-- Modules that serve people raise the words of complaint(); the admin API knows these again (api/problem.lua).
local M = {}

local kinds = { down = "away", busy = "busy", ["25006"] = "away", ["57014"] = "busy", ["55P03"] = "busy",
  ["40001"] = "busy", ["40P01"] = "busy", ["23514"] = "value", ["23503"] = "value", ["23P01"] = "value" }
local classes = { ["08"] = "away", ["53"] = "away", ["57"] = "away", ["58"] = "away", ["22"] = "value" }

---@param code string? of host.query
---@return "away"|"busy"|"value"|nil
function M.kind(code)
  code = tostring(code)
  return kinds[code] or (#code == 5 and classes[code:sub(1, 2)] or nil)
end

M.words = { away = "the database is away", busy = "the database is too busy for this now",
  value = "the database does not take this value" }

---@param why any the database's words
---@param code string?
---@param away string? what follows from its being away, for people
---@return string
function M.complaint(why, code, away)
  local kind = M.kind(code)
  if kind == "away" then
    return ("%s (%s)%s; ringdown db status tells why"):format(M.words.away, tostring(why), away or "")
  elseif kind == "busy" then
    return ("%s (%s); ask for less, or again"):format(M.words.busy, tostring(why))
  end
  return ("%s: %s"):format(M.words[kind] or "the database refused it", tostring(why))
end

---Which of them these words are.
---@param why any
---@return "away"|"busy"|"value"|nil
function M.of_words(why)
  for kind, words in pairs(M.words) do
    if type(why) == "string" and why:sub(1, #words) == words then
      return kind
    end
  end
end

return M
