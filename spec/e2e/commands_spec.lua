-- SPDX-License-Identifier: Apache-2.0
-- takes: 25 s
-- What the documents say to type is typed: each command that spec/docs/run.lua has, as the pages show it, in a folder
-- of its own, beside one node with a month of made-up calls.
local commands = require "spec.support.commands"
local lfs = require "lfs"
local node = require "spec.e2e.support.node"
local pages = require "spec.support.pages"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local run = require "spec.docs.run"

local SITES = [[
return { lakeview = { name = "Brightsmile Lakeview", time_zone = "America/Chicago", hours = { mon_fri = "08:00-17:00" },
  people = { office = "+13125550101" } } }
]]

-- Lines of the pages by the row that has them, each once.
local function by_row()
  local lines, seen = {}, {}
  for _, path in ipairs(pages.all()) do
    if path == "README.md" or path:find "^docs/[^/]+%.md$" or path:find "^examples/[^/]+/README%.md$" then
      for _, shown in ipairs((commands.shown(pages.read(path)))) do
        local text = commands.plain(shown.text)
        local row = not seen[text] and commands.row(run, text)
        if row then
          seen[text] = true
          lines[row] = lines[row] or {}
          table.insert(lines[row], { place = path .. ":" .. shown.n, text = text })
        end
      end
    end
  end
  return lines
end

describe("what the documents say to type", function()
  local folder, n, call, lines
  local root = lfs.currentdir()

  -- By the optimised program, where RINGDOWN_DOUBLES names it: the sanitizers see these commands in stories of theirs.
  local function ringdown(line, typed)
    local words = { "cd", folder, "&&", "printf '%s\\n'" }
    for _, each in ipairs(typed or {}) do
      words[#words + 1] = proc.quote(each)
    end
    words[#words + 1] = "| env -u RINGDOWN_CONFIG"
    for name, value in pairs(n.env) do
      words[#words + 1] = value and proc.quote(name .. "=" .. value) or nil
    end
    words[#words + 1] = line:find " talk " and "OPENAI_API_KEY=" or nil -- so that the model is a simulated one
    local program = line:find "^scripts/" and root .. "/" .. line or line:gsub("^ringdown", proc.quote(proc.double()))
    return proc.run(table.concat(words, " ") .. " " .. program .. " 2>&1")
  end

  setup(function()
    lines, folder = by_row(), proc.folder "typed"
    proc.run(("cp -r %s/agents %s/agents"):format(root, folder))
    proc.write(folder .. "/sites.lua", SITES)
    proc.write(folder .. "/numbers.csv", "number,agent\n+13125550100,northside-plumbing\n")
    local env = ("env DATABASE_URL=%s RINGDOWN_DATA=%s RINGDOWN_CONFIG= RINGDOWN_AGENTS=agents %s "):format("%s",
      proc.quote(folder .. "/data"), proc.quote(proc.double()))
    local url = pg.database()
    for _, row in ipairs(run) do -- before the node: its first facts would make it no new database
      for _, line in ipairs(row[1]:find "ringdown demo" and lines[row] or {}) do
        local words = (row.as or line.text):gsub("^ringdown ", "")
        local said, code = proc.run(env:format(proc.quote(url)) .. words .. " 2>&1")
        assert((code or 0) == 0, line.place .. ": " .. said)
      end
    end
    n = node.start { agents = folder .. "/agents", database = url, sim = false }
    call = pg.query(url, "select call from calls where system = 'openai' and agent = 'northside-plumbing' "
      .. "order by started_at desc limit 1")[1].call
  end)

  teardown(function()
    n:stop()
    proc.remove(folder)
  end)

  for _, row in ipairs(run) do
    if not row[1]:find "ringdown demo" then
      it(row[1] .. (row.long and " #long" or ""), function()
        for _, line in ipairs(lines[row] or {}) do
          local text = (row.as or line.text):gsub("CALL$", call)
          local said, code = ringdown(text, row.typed)
          local wanted = type(row.code) == "table" and row.code or { row.code or 0 }
          local place = ("%s: %s (%s): exit %d\n%s"):format(line.place, line.text, text, code or 0, said)
          assert.is_true(code == wanted[1] or code == wanted[2] or (code or 0) == wanted[1], place)
          assert.is_truthy(said:find(row.says or "", 1, true), place)
        end
      end)
    end
  end
end)
