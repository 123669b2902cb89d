-- SPDX-License-Identifier: Apache-2.0
-- What CONTRIBUTING.md and docs/tour.md send people to is there, the decisions are listed, and what GitHub reads of us
-- (forms, the workflow) has the shape that it asks for.
local lfs = require "lfs"
local lyaml = require "lyaml"

local function read(path)
  local file <close> = assert(io.open(path), path .. " is not there")
  return file:read "a"
end

local function exists(path)
  return lfs.attributes(path, "mode") ~= nil
end

local function files_below(folder, found)
  for name in lfs.dir(folder) do
    local path = folder .. "/" .. name
    if not name:find "^%." and name ~= "node_modules" then
      if lfs.attributes(path, "mode") == "directory" then
        files_below(path, found)
      else
        found[#found + 1] = path
      end
    end
  end
  return found
end

local tree = {}
for _, folder in ipairs { "runtime", "scripts", "spec", "sql", "docs", "examples", "agents" } do
  files_below(folder, tree)
end

-- Pages shorten: `call/turn.h` is below runtime/, `poll.lua` beside what was named before.
local function is_somewhere(name)
  for _, path in ipairs(tree) do
    if ("/" .. path):sub(-#name - 1) == "/" .. name then
      return true
    end
  end
  return false
end

-- A file of the tree; not a pattern (`api_<table>.c`, `observe/shown_*.c`) and nothing that is built or kept.
local function is_file(word)
  return word:find "^[%w_][%w_./-]*%.[%a]+$" and not word:find "^build/" and not word:find "NNNN" and
    ({ c = 1, h = 1, lua = 1, sql = 1, md = 1, ts = 1, tsx = 1, css = 1, yaml = 1 })[word:match "%.(%a+)$"]
end

local function is_folder(word)
  return word:find "^[%w_][%w_./-]*/$" and word:find "/" < #word
end

-- Of a library.
local foreign = { ["lua.h"] = true }

-- `words` of a page that name a file or a folder which is not there.
local function missing(text)
  local gone = {}
  for word in text:gsub("```.-```", ""):gmatch "`([^`%s]+)`" do
    word = word:gsub(":%d+$", "")
    local shortened = word:gsub("/$", "")
    if not foreign[word] and (is_file(word) and not exists(word) and not is_somewhere(word) or
        is_folder(word) and not exists(shortened) and not exists("runtime/" .. shortened)
        and not exists("scripts/ringdown/" .. shortened)) then
      gone[#gone + 1] = word
    end
  end
  return gone
end

-- Every word of C below runtime/, once.
local function words_of_c()
  local words = {}
  for _, path in ipairs(tree) do
    if path:find "^runtime/.*%.[ch]$" and not path:find "^runtime/tests/" then
      for word in read(path):gmatch "[%a_][%w_]*" do
        words[word] = true
      end
    end
  end
  return words
end

describe("the way in", function()
  for _, page in ipairs { "CONTRIBUTING.md", "docs/tour.md", "SECURITY.md", "CODE_OF_CONDUCT.md" } do
    it("sends nobody to a file that is not there: " .. page, function()
      assert.same({}, missing(read(page)))
    end)

    it("has no link to nowhere: " .. page, function()
      local folder, gone = page:match "^(.*/)" or "", {}
      for target in read(page):gmatch "%]%(([^)#%s]+)" do
        if not target:find "^https?:" and not exists(folder .. target) then
          gone[#gone + 1] = target
        end
      end
      assert.same({}, gone)
    end)
  end

  it("names no function that is gone", function()
    local words, sql, gone = words_of_c(), {}, {}
    for _, path in ipairs(tree) do
      if path:find "^sql/" or path:find "^scripts/.*%.lua$" then
        sql[#sql + 1] = read(path)
      end
    end
    local other = table.concat(sql)
    for name in read("docs/tour.md"):gmatch "`[^`\n]-([%a_][%w_.]*)%(%)" do
      local last = name:match "[%w_]+$"
      if not words[last] and not other:find(last, 1, true) then
        gone[#gone + 1] = name
      end
    end
    assert.same({}, gone)
  end)

  it("lists every decision, and none that was not made", function()
    local index = read "docs/decisions/README.md"
    for name in lfs.dir "docs/decisions" do
      if name:find "^%d%d%d%d%-" then
        assert(index:find("(" .. name .. ")", 1, true), name .. " is not listed")
      end
    end
    for name in index:gmatch "%((%d%d%d%d%-[^)]+)%)" do
      assert(exists("docs/decisions/" .. name), name .. " is listed and not there")
    end
  end)
end)

describe("what GitHub reads of us", function()
  it("has forms that ask for something", function()
    for _, name in ipairs { "bug", "idea" } do
      local form, ids = lyaml.load(read(".github/ISSUE_TEMPLATE/" .. name .. ".yml")), {}
      assert.is_string(form.name)
      assert.is_string(form.description)
      for _, part in ipairs(form.body) do
        if part.type ~= "markdown" then
          assert(part.type == "input" or part.type == "textarea", part.type)
          assert.is_string(part.attributes.label)
          assert.is_nil(ids[part.id], "two are called " .. part.id)
          ids[part.id] = true
        end
      end
      assert.is_not_nil(next(ids))
    end
    assert.is_boolean(lyaml.load(read ".github/ISSUE_TEMPLATE/config.yml").blank_issues_enabled)
  end)

  it("runs scripts/test in a Debian 12, with no right but to read, and nothing of strangers", function()
    local flow = lyaml.load(read ".github/workflows/test.yml")
    assert.same({ contents = "read" }, flow.permissions)
    local runs = {}
    for _, job in pairs(flow.jobs) do
      assert.is_nil(job.permissions)
      assert.is_not_nil(job["timeout-minutes"])
      for _, step in ipairs(job.steps) do
        if step.uses then
          assert(step.uses:find "^actions/[%w-]+@v%d+$", step.uses)
        end
        if (step.uses or ""):find "checkout" then
          assert.is_false(step.with["persist-credentials"])
        end
        runs[#runs + 1] = step.run
      end
    end
    local all = table.concat(runs, "\n")
    assert(all:find("debian:12 scripts/test $FULL", 1, true))
    assert.is_nil(all:find("{{", 1, true), "what others wrote never becomes a part of a command")
    assert.is_nil(read(".github/workflows/test.yml"):find("secrets.", 1, true))
  end)
end)
