-- SPDX-License-Identifier: Apache-2.0
-- http: requests to the hosts in an agent's `needs.hosts`. They wait without holding up the call.
--
-- A status is a value: look at reply.status. Outages raise (nobody answers, the answer never comes, it
-- is too large), and the model then gets the tool's `failed` sentence. Proxies of the environment (`http_proxy` and its
-- like) are not used: the address that was checked is the one that is asked.
local host = require "ringdown.host"

-- What does it is in http_request.lua, which the first request of a call loads.

---@class ringdown.http.opts
---@field query table<string, string|number|boolean>? added to the URL
---@field headers table<string, string|ringdown.secret>?
---@field body string?
---@field json any? sent as JSON instead of a body
---@field bearer ringdown.secret? Authorization: Bearer …
---@field basic ringdown.secret|{ user: string, password: ringdown.secret }|nil a secret alone is the user
---@field timeout string? for one attempt: "4s"; "10s" if left out
---@field retries integer? further attempts after an outage, 429, 502, 503 or 504, where asking twice does no harm: GET,
---  HEAD, PUT, DELETE, or with an idempotency_key; 0 to 5
---@field idempotency_key string? sent as Idempotency-Key; call:key() is one
---@field max_bytes integer? of the answer, unpacked; 1 MiB if left out, which is the most

---@class ringdown.http.reply
---@field status integer
---@field headers table<string, string> by name in lower case
---@field body string
---@field json any the body read as JSON; nil when it is none

local M = {}

local _ = host.loading and require "ringdown.http_request" -- calls find only what was loaded with the agent

---Makes a request with any method.
---@param method string "GET", "POST", …
---@param url string "https://api.example.com/path"
---@param opts ringdown.http.opts?
---@return ringdown.http.reply
function M.request(method, url, opts)
  local reply = require("ringdown.http_request").request(method, url, opts)
  return reply
end

---Asks for something.
---@param url string
---@param opts ringdown.http.opts?
---@return ringdown.http.reply
function M.get(url, opts)
  return M.request("GET", url, opts)
end

---Sends something, to be done once.
---@param url string
---@param opts ringdown.http.opts?
---@return ringdown.http.reply
function M.post(url, opts)
  return M.request("POST", url, opts)
end

---Puts something in its place.
---@param url string
---@param opts ringdown.http.opts?
---@return ringdown.http.reply
function M.put(url, opts)
  return M.request("PUT", url, opts)
end

---Changes a part of something.
---@param url string
---@param opts ringdown.http.opts?
---@return ringdown.http.reply
function M.patch(url, opts)
  return M.request("PATCH", url, opts)
end

---Removes something.
---@param url string
---@param opts ringdown.http.opts?
---@return ringdown.http.reply
function M.delete(url, opts)
  return M.request("DELETE", url, opts)
end

return M
