-- SPDX-License-Identifier: Apache-2.0
-- check_reliability.lua PAGE PROOFS_MIN - the proofs that docs/reliability.md, or another page of its kind, names are
-- there. Run from the top of the tree by the ctests "reliability", "threats" and "data_protection". One line per gap,
-- as file:line: reason; exit 1 when there is any.
--
-- In the third cell of a row of each table that has a column "proof", from left to right:
--   `unit.store.journal`        runtime/tests/unit/store/test_journal.c, whose tests follow
--   `test_…`                    a test in it
--   `spec/e2e/outage_spec.lua`  a spec, whose sentences follow
--   "and no call is dropped"    how an it() or describe() in it begins
-- Anywhere on the page: the specs, unit tests and programs that its commands name.
local PAGE = arg[1] or "docs/reliability.md"
local PROOFS_MIN = tonumber(arg[2] or 100) -- fewer: the page was not understood

local gaps, proofs = 0, 0

local function read(path)
  local f = io.open(path, "rb")
  local text = f and f:read "a"
  if f then f:close() end
  return text
end

local function gap(line, why)
  gaps = gaps + 1
  print(("%s:%d: %s"):format(PAGE, line, why))
end

local function source_of(name)
  local module, noun = name:match "^unit%.([%w_]+)%.([%w_]+)$"
  return module and ("runtime/tests/unit/%s/test_%s.c"):format(module, noun) or name
end

local function need_file(line, path)
  local text = read(path)
  if not text then
    gap(line, path .. " is not there")
  end
  return text
end

-- Is it a test, and is it run? A function that main() forgot proves nothing.
local function has_test(text, name)
  local _, times = text:gsub("%f[%w_]" .. name .. "%f[^%w_]", "")
  return times >= 2
end

local function has_sentence(text, words)
  for _, call in ipairs { "it(", "describe(", "describe((" } do
    if text:find(call .. '"' .. words, 1, true) then
      return true
    end
  end
  return false
end

local function check_proofs(line, cell)
  local path, text
  local at = 1
  while true do
    local from, to, mark, words = cell:find('([`"])(.-)%1', at)
    if not from then
      break
    end
    at = to + 1
    if mark == '"' then
      proofs = proofs + 1
      if text and not has_sentence(text, words) then
        gap(line, ('%s has no it("%s…'):format(path, words))
      elseif not path then
        gap(line, ('no spec is named before "%s"'):format(words))
      end
    elseif words:find "^test_" then
      proofs = proofs + 1
      if text and not has_test(text, words) then
        gap(line, ("%s has no %s, or does not run it"):format(path, words))
      elseif not path then
        gap(line, "no unit test is named before " .. words)
      end
    elseif words:find "^unit%." or words:find "^spec/" then
      path = source_of(words)
      text = read(path)
    end
  end
  if not path then
    gap(line, "this row names no proof")
  end
end

local function check_names(line, text)
  for path in text:gmatch "spec/[%w_/]+_spec%.lua" do
    need_file(line, path)
  end
  for name in text:gmatch "%f[%w]unit%.[%w_]+%.[%w_]+" do
    need_file(line, source_of(name))
  end
  for noun in text:gmatch "build/dev/runtime/tests/([%w_]+)" do
    if not (read("runtime/tests/store/" .. noun .. ".c")) then
      gap(line, noun .. " is no program of runtime/tests/store")
    end
  end
end

local n, proved = 0, false
for text in (assert(read(PAGE), PAGE .. " is not there; run this from the top of the tree")):gmatch "([^\n]*)\n" do
  n = n + 1
  check_names(n, text)
  local cells = {}
  for cell in text:gmatch "|([^|]+)" do
    cells[#cells + 1] = cell
  end
  if #cells == 0 then
    proved = false
  elseif cells[3] and cells[3]:find "^ proof" then
    proved = true
  elseif proved and #cells >= 4 and not cells[1]:find "^%-" then
    check_proofs(n, cells[3])
  end
end

print(("%d proofs named, %d gaps"):format(proofs, gaps))
os.exit(gaps == 0 and proofs >= PROOFS_MIN)
