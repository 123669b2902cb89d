-- SPDX-License-Identifier: Apache-2.0
-- transfer_call: hands the caller to one of the agent's people. The model picks a name, never a number.
-- It says a sentence first; the carrier is asked once that was heard. When nobody answers, the caller is
-- back with the agent.
--
--   tools.transfer_call                                   all of the agent's people
--   tools.transfer_call { to = { "office", "on_call" } }  these
--   tools.transfer_call { screen = true }                 who picks up presses 1 to take the call
local complaints = require "ringdown.complaints"
local nearest = require "ringdown.nearest"
local shape = require "ringdown.shape"
local sorted = require "ringdown.sorted"
local tool = require "ringdown.tool"

---@class ringdown.transfer_call.options
---@field to string[]? names of the agent's people; all if left out
---@field ring "all"|"in_turn"|nil several numbers of one name ring at once, or one after the other
---@field screen boolean? who picks up hears who calls and presses 1 to take it: a voicemail never has the caller
---@field when string? when to do it, for the model

local options_shape = shape.fields {
  to = shape.one_or_list_of(shape.text),
  ring = shape.one_of { "all", "in_turn" },
  screen = shape.flag,
  when = shape.text,
}

local ABOUT = "Connect the caller with a person. First say in one sentence, in the same answer, that you are "
  .. "connecting them and with whom; after the call of this tool say nothing more. If nobody answers, the "
  .. "caller comes back to you."

local make

local function bound(options, names)
  local t = tool {
    name = "transfer_call",
    about = options.when and ABOUT .. " " .. options.when or ABOUT,
    effect = "write",
    args = { to = { type = "string", about = "who", one_of = names } },
    timeout = "5s",
    failed = "Say that connecting is not possible right now, and offer to take a message.",
    run = tool.later("ringdown.tools.plain", "transfer_call", { ring = options.ring, screen = options.screen }),
  }
  t.with = make
  return t
end

-- Only now it is known whom the agent has.
local function fitted(options, place)
  return function(def)
    local names = sorted.keys(def.people)
    local function complain(path, text)
      complaints.add(place or def.place or { file = "agents", line = 1 }, path, text)
    end
    if #names == 0 then
      complain("", "tools.transfer_call needs somebody to transfer to; add people = { office = \"+1…\" }")
      return nil
    end
    for i, name in ipairs(options.to or {}) do
      if not def.people[name] then
        complain("to." .. i, ("nobody is called '%s'; %s"):format(name, nearest.hint(name, names)))
      end
    end
    return bound(options, options.to or names)
  end
end

make = function(spec)
  local place = complaints.place("transfer_call")
  place.label = "transfer_call"
  local options = options_shape(spec, "", function(path, text)
    complaints.add(place, path, text)
  end)
  local t = bound(options, options.to or { "?" })
  t.fits = fitted(options, place)
  return t
end

local bare = bound({}, { "?" })
bare.fits = fitted({}, nil)
return bare
