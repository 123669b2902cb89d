-- SPDX-License-Identifier: Apache-2.0
-- tool: what an agent may do. `tool { … }` in an agent's file declares one; running one checks the
-- model's arguments first and always ends in an answer that the model can work with.
local host = require "ringdown.host"

-- Declaring checks everything while the agent loads (tool_check.lua). A call takes what that came to from the agent's
-- definition, and of the file only the functions.

---@class ringdown.arg
---@field type "string"|"integer"|"number"|"boolean"
---@field about string what it means, for the model; at most 1024 bytes
---@field optional boolean?
---@field one_of (string|number)[]? the only values allowed
---@field pattern string? Lua pattern that a string must match
---@field format "date"|"time"|"phone"|"email"|nil what a string must be: 2026-11-24, 09:30, +13125550142, a@b.example
---@field min number? smallest number, or shortest string
---@field max number? largest number, or longest string

---@class ringdown.tool.spec
---@field name string lower case, digits and _
---@field about string what it does and when to use it, for the model; at most 1024 bytes
---@field effect "read"|"write" a write is done at most once per call with the same arguments
---@field args table<string, ringdown.arg>?
---@field timeout string? how long it may take: "10s"
---@field filler string|string[]? spoken when it takes longer than a moment, as it stands
---@field failed string? what the model should say when it breaks, as it stands
---@field verify true|"if_declared"|(fun(call: ringdown.call, args: table): boolean?, string?)|nil only for a caller who
---  was verified: true needs the agent's `verify`; a function decides by itself: true, or why not
---@field run fun(call: ringdown.call, args: table): any, string? a value, or nil and why not

---@class ringdown.tool: ringdown.tool.spec
---@field timeout_ms integer
---@field schema table JSON schema of the arguments

---@field with (fun(options: table): ringdown.tool)? one like it with options: tools.transfer_call { to = … }
---@field fits (fun(def: table): ringdown.tool?)? the agent is known: the tool for this agent; complains by itself

local M = {}

-- The library's tools are used as they are, or with options.
local function with_options(t, options)
  if not host.loading then
    return t
  elseif not t.with then
    local complaints = require "ringdown.complaints"
    complaints.add(complaints.place(), "", ("the tool '%s' takes no options; use it as it is"):format(tostring(t.name)))
    return t
  end
  local made = t.with(options)
  return made -- not a tail call: its line would be lost
end

local mark = { __name = "ringdown.tool", __call = with_options }

local later = setmetatable({}, { __mode = "k" }) -- run → where it comes from

---@return boolean
function M.is(value)
  return getmetatable(value) == mark
end

---A `run` of the library's own tools: it is loaded by the first call of the tool. For the library.
---@param module string
---@param name string of the function (call, args, config)
---@param config any? plain data
---@return fun(call: ringdown.call, args: table): any, string?
function M.later(module, name, config)
  local _ = host.loading and require(module) -- calls find only what was loaded with the agent
  local function run(call, args)
    return require(module)[name](call, args, config)
  end
  later[run] = host.loading and { module = module, name = name, config = config } or nil
  return run
end

---Where a `run` of the library comes from, while an agent loads.
---@param run function
---@return { module: string, name: string, config: any }?
function M.source(run)
  return later[run]
end

---A tool of the library in a call, where its options are known from the definition already.
---@param name string
---@return ringdown.tool
function M.named(name)
  return setmetatable({ name = name }, mark)
end

---@param t ringdown.tool
---@param given table
---@return table? args
---@return string[]? problems
function M.check(t, given)
  return require("ringdown.tool_args").check(t, given)
end

---@overload fun(spec: ringdown.tool.spec): ringdown.tool
return setmetatable(M, {
  ---Declares a tool, for `tools` of an agent. What `run` returns is the model's answer; `nil, "why"` is an outcome to
  ---expect, what is raised becomes the sentence in `failed`.
  ---@param spec ringdown.tool.spec
  ---@return ringdown.tool
  __call = function(_, spec)
    local t = host.loading and require("ringdown.tool_check").define(spec) or spec
    return setmetatable(t, mark)
  end,
})
