-- SPDX-License-Identifier: Apache-2.0
-- No command of the documents is only written down. Each line of a block is run by a story (run.lua), or stands in
-- not_run.lua with the reason; and every `ringdown …` anywhere has a command, a verb and options that --help knows.
local commands = require "spec.support.commands"
local lfs = require "lfs"
local not_run = require "spec.docs.not_run"
local pages = require "spec.support.pages"
local run = require "spec.docs.run"

local program = lfs.attributes "build/ringdown" and "build/ringdown" or "build/dev/ringdown"

-- Their second word is one that --help lists.
local VERBS = {}
local WITH_VERBS = "agents alerts calls console cost db demo force journal new numbers rollout sites stats tokens vapi"
for name in WITH_VERBS:gmatch "%a+" do
  VERBS[name] = true
end

local helps = {}
local function help_of(name)
  if not helps[name] then
    local pipe = assert(io.popen(program .. " " .. name .. " --help 2>&1"))
    helps[name] = pipe:read "a"
    pipe:close()
  end
  return helps[name]
end

-- What --help does not know of one `ringdown …`; nil when it knows all.
local function unknown(line)
  local name, rest = line:match "ringdown ([%l-]+)(.*)$"
  if not name then
    return line:find "ringdown %-%-" and nil or "no command"
  end
  local help = help_of(name)
  if not help:find("usage: ringdown " .. name, 1, true) and name ~= "version" then
    return name
  end
  rest = rest:gsub("[|&;>].*$", "")
  local verb = VERBS[name] and rest:match "^ (%l[%l-]+)%f[%s\0]"
  if verb and not help:find("%f[%w-]" .. verb:gsub("%-", "%%-") .. "%f[^%w-]") then
    return name .. " " .. verb
  end
  for option in rest:gmatch "%f[%S\"[](%-%-[%l-]+)" do
    if option ~= "--help" and not help:find(option:gsub("%-", "%%-") .. "%f[^%w-]") then
      return name .. " " .. option
    end
  end
end

local function documents()
  local found = {}
  for _, path in ipairs(pages.all()) do
    if path == "README.md" or path:find "^docs/[^/]+%.md$" or path:find "^examples/[^/]+/README%.md$" then
      found[#found + 1] = path
    end
  end
  return found
end

describe("the commands of the documents", function()
  local lines, none_of_them, wrong = {}, {}, {}

  before_each(function()
    wrong = {}
  end)

  setup(function()
    for _, path in ipairs(documents()) do
      local text = pages.read(path)
      local shown, none = commands.shown(text)
      for _, each in ipairs(shown) do
        lines[#lines + 1] = { place = path .. ":" .. each.n, text = commands.plain(each.text), block = true }
      end
      for _, each in ipairs(none) do
        none_of_them[#none_of_them + 1] = ("%s:%d: %s"):format(path, each.n, each.text)
      end
      for _, each in ipairs(commands.named(pages.prose(text))) do
        lines[#lines + 1] = { place = path .. ":" .. each.n, text = commands.plain(each.text) }
      end
    end
  end)

  it("are found, and nothing else stands between them", function()
    assert.is_true(#lines > 300, #lines .. " commands")
    assert.same({}, none_of_them)
  end)

  it("are those that --help knows, with their verbs and options", function()
    for _, line in ipairs(lines) do
      for one in line.text:gsub("&& ", "\n"):gsub("%$%(", "\n"):gmatch "[^\n]+" do
        local what = one:find "^ringdown " and unknown(one)
        if what then wrong[#wrong + 1] = ("%s: %s: no %s"):format(line.place, line.text, what) end
      end
    end
    assert.same({}, wrong)
  end)

  it("would not be, with a slip", function()
    assert.equal("frobnicate", unknown "ringdown frobnicate")
    assert.equal("agents pulbish", unknown "ringdown agents pulbish")
    assert.equal("cost --sinc", unknown "ringdown cost range --sinc 30d")
    assert.is_nil(unknown "ringdown cost range --since 30d")
  end)

  it("are run, or it is said why not", function()
    for _, line in ipairs(lines) do
      if line.block and not (commands.row(run, line.text) or commands.row(not_run, line.text)) then
        wrong[#wrong + 1] = ("%s: %s: neither in spec/docs/run.lua nor in not_run.lua"):format(line.place, line.text)
      end
    end
    assert.same({}, wrong)
  end)

  it("that are not run are proven where it is said", function()
    for _, row in ipairs(not_run) do
      assert.is_true(#row[2] > 4, row[1])
      if row.by then
        assert.is_truthy(pages.read(row.by):find(row.says, 1, true), row[1] .. ": " .. row.by .. " has no " .. row.says)
      end
    end
  end)
end)

describe("a page", function()
  it("has commands behind its prompts, or line by line", function()
    local shown, none = commands.shown [[
```
$ ringdown status          one screen
up since today
```
```sh
ringdown check             # what is wrong
ringdown rollout plan \
    --allow +1
oops
```
```lua
ringdown no
```
    a
]]
    assert.same({ { n = 2, text = "ringdown status" }, { n = 6, text = "ringdown check" },
      { n = 7, text = "ringdown rollout plan --allow +1" } }, shown)
    assert.same({ { n = 9, text = "oops" } }, none)
  end)
end)
