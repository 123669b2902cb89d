-- SPDX-License-Identifier: Apache-2.0
-- check_catalogue.lua - every failure the code can tell of, held against the catalogue. Run from the
-- top of the tree by the ctest "catalogue". One line per gap, as file: reason; exit 1 when there is any.
--
-- What must be explained in runtime/observe/catalogue_*.c
--   * events of log_warn() and log_error(), in C and in scripts, and the kinds of alarms
--   * the reasons of fallbacks (webhook_reply_fallback() and who calls it), as call.REASON
--   * how calls end (end_names in call/call.c), as ended.REASON
--   * error numbers (base/err.h), as error.NAME
--   * the codes of the Realtime API that are told apart (providers/openai/verdict.c), as openai.CODE
local gaps, checked = 0, 0

local function read(path)
  local f = assert(io.open(path, "rb"), path .. " is not there; run this from the top of the tree")
  local text = f:read "a"
  f:close()
  return text
end

local function files(command)
  local list = {}
  local p = assert(io.popen(command))
  for path in p:lines() do
    list[#list + 1] = path
  end
  p:close()
  assert(#list > 0, "no files found; run this from the top of the tree")
  return list
end

-- Codes stand first in their braces: {"call.no_agent", "meaning", …
local known = {}
for _, path in ipairs(files "ls runtime/observe/catalogue_*.c") do
  for code in read(path):gmatch '{%s*"([%w_.]+)",' do
    known[code] = true
  end
end

local function need(path, code, what)
  checked = checked + 1
  if not known[code] then
    gaps = gaps + 1
    print(("%s: %s \"%s\" is not explained: add it to runtime/observe/catalogue_*.c and print docs/errors.md anew")
      :format(path, what, code))
  end
end

local function each(path, text, pattern, what, prefix)
  for code in text:gmatch(pattern) do
    need(path, (prefix or "") .. code, what)
  end
end

-- The doubles speak to developers, in their own log.
for _, path in ipairs(files "find runtime -name '*.c' -not -path '*/tests/*' -not -path '*/sim/*' | sort") do
  local text = read(path)
  each(path, text, 'log_warn%(%s*"([^"]+)"', "event")
  each(path, text, 'log_error%(%s*"([^"]+)"', "event")
  each(path, text, 'log_lines%(LOG_%u+,%s*"([^"]+)"', "event")
  each(path, text, 'log_failure%("([^"]+)"', "event")
  each(path, text, 'alarm_raise%([%w_]+,%s*"([^"]+)"', "alarm")
  -- Chosen on the spot: fatal ? "openai.refused" : "openai.error"
  for choice in text:gmatch '[%s(]LOG_%((.-);' do
    each(path, choice, '[?:,]%s*"(%l+%.[%l_]+)"', "event")
  end
  for choice in text:gmatch 'alarm_raise%((.-);' do
    each(path, choice, '[?:]%s*"(%l+%.[%l_]+)"', "alarm")
  end
  for _, call in ipairs { "webhook_reply_fallback", "answer_with_fallback", "[%s(]refuse" } do
    for arguments in text:gmatch(call .. "%b()") do
      local reason = arguments:match '^[^"]*"([%l_]+)"[,)]'
      if reason and path:find "^runtime/gateway/" and not arguments:find "M_REFUSED" then
        need(path, "call." .. reason, "reason")
      end
    end
  end
  each(path, text, '%*reason = "([%l_]+)"', "reason", "call.")
  for reason in text:gmatch '%[REFUSAL_[%u_]+%] = {[%w_]+, "([%l_]+)"' do
    need(path, "call." .. reason, "reason")
  end
end

for _, path in ipairs(files "find scripts/ringdown -name '*.lua' | sort") do
  local text = read(path)
  each(path, text, 'log%.fact%("warn", "([^"]+)"', "event")
  each(path, text, 'log%.fact%("error", "([^"]+)"', "event")
end

each("runtime/call/call.c", read "runtime/call/call.c", '%[CALL_END_[%u_]+%] = "([%l_]+)"', "end", "ended.")
each("runtime/base/err.h", read "runtime/base/err.h", "X%((RD_E%u+),", "error number", "error.")

local verdict = read "runtime/providers/openai/verdict.c"
each("runtime/providers/openai/verdict.c", verdict, '{RD_STR%("([%l_]+)"%)', "code", "openai.")
for status in verdict:gmatch "{(%d%d%d), VERDICT" do
  need("runtime/providers/openai/verdict.c", "openai.http_" .. status, "code")
end
each("runtime/providers/openai/verdict.c", verdict, 'FIX%("([%l%d_]+)"%)', "code", "openai.")

print(("%d codes used, %d gaps"):format(checked, gaps))
os.exit(gaps == 0 and checked > 100)
