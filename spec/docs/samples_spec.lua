-- SPDX-License-Identifier: Apache-2.0
-- The Lua in the guides runs. A block that opens with a file's name is that file: agents load, specs pass. Others are
-- keys of an agent, or a piece of its file.
local agent = require "ringdown.agent"
local complaints = require "ringdown.complaints"
local fake = require "ringdown.fake"
local fake_host = require "ringdown.fake.host"
local lfs = require "lfs"
local samples = require "spec.support.samples"

local PAGES = { "README.md", "docs/agents.md", "docs/emergencies.md", "docs/texts.md", "docs/cookbook.md" }
local LIBRARY = { "agent", "tool", "tools", "http", "secret", "db", "store", "sms", "time", "json", "log" }

local function library()
  local lines = {}
  for i, name in ipairs(LIBRARY) do
    lines[i] = ("local %s = require 'ringdown.%s'"):format(name, name)
  end
  return table.concat(lines, " ") .. " "
end

-- Keys of an agent go into one that has the rest.
local function define(keys)
  local spec = {
    name = "sample", numbers = { "+13125550150" }, greeting = "Hello.", prompt = "Help.", time_zone = "America/Chicago",
    people = { office = "+13125550101", on_call = { "+13125550188", "+13125550189" } },
  }
  for key, value in pairs(keys) do
    spec[key] = value
  end
  return agent(spec)
end

local function run(block)
  local keys = load(library() .. "return {" .. block.text .. "}", "=sample", "t")
  complaints.start "sample"
  if keys then
    define(keys())
  else
    assert(load(library() .. block.text, "=sample", "t"))()
  end
  return complaints.text()
end

describe("the guides", function()
  local folder, file_of = os.tmpname(), fake_host.file
  local path_before = package.path
  os.remove(folder)

  local function write(name, text)
    local file = assert(io.open(folder .. "/" .. name, "w"))
    file:write(text)
    file:close()
  end

  setup(function()
    assert(lfs.mkdir(folder))
    package.path = folder .. "/?.lua;" .. package.path
    fake_host.file = function(name)
      return name:match "%.md$" and "You answer the phone for {{site.name}}." or nil, "no such file"
    end
  end)

  teardown(function()
    package.path, fake_host.file = path_before, file_of
    for name in lfs.dir(folder) do
      os.remove(folder .. "/" .. name)
    end
    lfs.rmdir(folder)
  end)

  for _, path in ipairs(PAGES) do
    for _, block in ipairs(samples.of(path)) do
      local place = ("%s:%d"):format(path, block.line)
      local name = block.file and block.file:match "^agents/([%w-]+)%.lua$"
      if name then
        it(place .. " is an agent that loads", function()
          write(name .. ".lua", block.text)
          assert.equal(name, fake.load(name).name)
        end)
      elseif block.file then
        describe(place .. " is a spec:", assert(load(block.text, "@" .. block.file, "t", _ENV)))
      else
        it(place .. " says what may be said", function()
          assert.equal("", run(block))
        end)
      end
    end
  end
end)
