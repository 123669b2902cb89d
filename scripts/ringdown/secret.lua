-- SPDX-License-Identifier: Apache-2.0
-- secret: a credential by its name. Scripts hold the name only; the value is put into the request
-- outside of them, so there is nothing that could be printed, stored or told to a model.
--
--   http.get("https://api.dispatch.example/eta", { bearer = secret "DISPATCH_KEY" })
local host = require "ringdown.host"

---@class ringdown.secret opaque; give it to ringdown.http

local M = {}

local known = {} -- name → its one object
local names = setmetatable({}, { __mode = "k" })
local used = {} -- while an agent's file loads: which names, and where

local function refuse(object)
  error(("secret %s is a credential for requests and nothing else"):format(names[object] or "?"), 2)
end

local mark = {
  __name = "secret",
  __tostring = function(object)
    return "secret " .. (names[object] or "?")
  end,
  __concat = function(a, b)
    refuse(names[a] and a or b)
  end,
  __newindex = refuse, __pairs = refuse, __len = refuse, __call = refuse,
  __metatable = "secret",
}

---The name behind a secret; nil for anything else. For the library.
---@param value any
---@return string? name
function M.name_of(value)
  return names[value]
end

---An agent's file begins to load: what others used before is nothing to it. For the library.
function M.begin()
  used = {}
end

---Complains of the secrets that the file uses and its agent does not declare. For the library.
---@param declared string[]
function M.check(declared)
  local complaints, nearest = require "ringdown.complaints", require "ringdown.nearest"
  local there = {}
  for _, name in ipairs(declared) do
    there[name] = true
  end
  for _, use in ipairs(used) do
    if not there[use.name] then
      local hint = #declared > 0 and nearest.hint(use.name, declared)
        or ("add needs = { secrets = { \"%s\" } }"):format(use.name)
      complaints.add({ file = use.file, line = use.line }, "", ("secret \"%s\" is not in needs.secrets; %s")
        :format(use.name, hint))
    end
  end
  used = {}
end

---@overload fun(name: string): ringdown.secret
return setmetatable(M, {
  ---The secret of that name, whose value scripts never see.
  ---@param name string as in `needs.secrets`
  ---@return ringdown.secret
  __call = function(_, name)
    if type(name) ~= "string" or not name:match("^[%a_][%w_]*$") then
      error("secret takes the name of one, like secret \"DISPATCH_KEY\"", 2)
    end
    if host.loading then
      local file, line = host.where()
      used[#used + 1] = { name = name, file = file or "agents/?.lua", line = line or 1 }
    end
    local object = known[name]
    if not object then
      object = {}
      known[name], names[object] = object, name
      setmetatable(object, mark)
    end
    return object
  end,
})
