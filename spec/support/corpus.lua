-- SPDX-License-Identifier: Apache-2.0
-- corpus: the utterances of spec/triage/corpus, run through the rules of their trade, and what came of it in numbers.
local emergencies = require "lib.emergencies"
local triage = require "ringdown.triage"

local M = {}

local FOLDER = "spec/triage/corpus"
local columns = { "trade", "language", "verdict", "emergency", "kind", "words" }

---Which rules each trade's example agent has.
M.trades = {
  plumber = { "gas_leak", "carbon_monoxide", "electric_flood", "flood", "sewage" },
  dental = { "bleeding", "airway", "collapse", "knocked_out_tooth", "swelling" },
  property = { "fire", "gas_leak", "carbon_monoxide", "electric_flood", "lift_trapped", "flood", "lift_broken" },
}

---@return table[] rules
function M.rules_of(trade)
  local rules = {}
  for i, name in ipairs(M.trades[trade]) do
    rules[i] = emergencies[name] { transfer = "on_call" }
  end
  local def = { people = { on_call = { "+13125550188" } }, languages = { "en", "es" }, vars = {} }
  return triage.shape(rules, "emergencies", function(path, text)
    error(path .. ": " .. text, 0)
  end, def)
end

local function read_line(file, number, line)
  local row, n = { file = file, line = number }, 0
  for cell in (line .. "\t"):gmatch "([^\t]*)\t" do
    n = n + 1
    row[columns[n] or "more"] = cell
  end
  assert(n == #columns and row.words ~= "" and M.trades[row.trade],
    ("%s:%d: must have the six columns of spec/triage/corpus/README.md"):format(file, number))
  return row
end

---@param half "tune"|"heldout"
---@return table[] rows none when there is no such file
function M.read(half)
  local rows = {}
  local list = assert(io.popen(("ls %s/%s.*.tsv 2>/dev/null"):format(FOLDER, half)))
  for file in list:lines() do
    local number = 0
    for line in io.lines(file) do
      number = number + 1
      if line:match "%S" and not line:match "^#" then
        rows[#rows + 1] = read_line(file, number, line)
      end
    end
  end
  list:close()
  return rows
end

local function is_named(row, rule)
  return ("," .. row.emergency .. ","):find("," .. rule .. ",", 1, true) ~= nil
end

-- What came of an utterance: the best verdict at all, and the best of the emergencies that are right for it.
local function outcome(row, results)
  local rank = { near_miss = 1, ask = 2, match = 3 }
  local best, right
  for _, r in ipairs(results) do
    if not best or rank[r.verdict] > rank[best] then
      best = r.verdict
    end
    if is_named(row, r.rule) and (not right or rank[r.verdict] > rank[right]) then
      right = r.verdict
    end
  end
  return best, right
end

local function ratio(part, whole)
  return whole == 0 and 1 or part / whole
end

---The numbers that spec/triage/corpus/README.md defines.
---@param rows table[]
---@return table
function M.measure(rows)
  local compiled = {}
  for trade in pairs(M.trades) do
    compiled[trade] = triage.compile(M.rules_of(trade), { "en", "es" })
  end
  local n, wrong = {}, {}
  local function count(name)
    n[name] = (n[name] or 0) + 1
  end
  for _, row in ipairs(rows) do
    local results = triage.match(compiled[row.trade], row.words, row.language)
    local best, right = outcome(row, results)
    local label = row.verdict
    count(label)
    if right == "match" or right == "ask" then
      count(label .. " right")
    end
    if best then
      count(label .. " " .. best)
    end
    local good = label == "none" and best ~= "match" or label == "ask" and best == "ask"
      or label == "life" and right == "match" or (label == "urgent" or label == "normal") and right == "match"
    if not good or label == "none" and best == "ask" then
      local said = {}
      for i, r in ipairs(results) do
        said[i] = ("%s %s (%s: %s)"):format(r.rule, r.verdict, r.detail or "", r.heard)
      end
      wrong[#wrong + 1] = ("%s:%d: %s %s: %s\n    %s"):format(row.file, row.line, label, row.emergency, row.words,
        table.concat(said, ", "))
    end
  end
  local function of(name)
    return n[name] or 0
  end
  local acted = of "life match" + of "urgent match" + of "normal match"
  return {
    count = #rows, wrong = wrong, n = of,
    life_recall = ratio(of "life right", of "life"),
    precision = ratio(acted, acted + of "none match"),
    acted_at_once = ratio(of "life match", of "life"),
    other_recall = ratio(of "urgent right" + of "normal right", of "urgent" + of "normal"),
    needless_questions = ratio(of "none ask", of "none"),
    asked = ratio(of "ask ask", of "ask"),
  }
end

---@return string
function M.report(half, m)
  return ("triage corpus, %s: %d utterances; life: recall %.1f %% of %d (acted at once %.1f %%); precision %.1f %%; "
    .. "urgent and normal: recall %.1f %% of %d; of %d labelled ask: asked %d, acted %d; of %d labelled none: "
    .. "asked %d, acted %d")
    :format(half, m.count, 100 * m.life_recall, m.n "life", 100 * m.acted_at_once, 100 * m.precision,
      100 * m.other_recall, m.n "urgent" + m.n "normal", m.n "ask", m.n "ask ask", m.n "ask match",
      m.n "none", m.n "none ask", m.n "none match")
end

return M
