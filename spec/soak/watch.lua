-- SPDX-License-Identifier: Apache-2.0
-- What a node holds at a moment: memory, descriptors by what they are, threads; from the kernel, and from its metrics.
--
--   watch.node(n) -> { rss =, pss =, heap =, scripts_memory = (bytes), fds =, sockets =, files =, others =, threads =,
--                      calls =, scripts =, jobs =, mailbox =, journal =, lost =, zombies = }; nil: it did not answer
--   watch.series     what is kept of each, in order: { name, title, unit, allowance = for flat.judge }
local lfs = require "lfs"
local proc = require "spec.e2e.support.proc"

local watch = {}

local MB = 1048576

-- `allowance`: how much it may grow between the second fifth of the time and the last. What is watched without one is
-- judged otherwise, or shown only. `follows`: it is judged as if that had stayed the same, because how many of the
-- calls are on our line changes with the rollout (flat.without).
watch.series = {
  { name = "calls", title = "calls", unit = "" },
  { name = "rss", title = "resident memory", unit = "MB", follows = "scripts",
    allowance = { share = 0.02, plus = MB } },
  { name = "pss", title = "memory, shared pages by share", unit = "MB", follows = "scripts",
    allowance = { share = 0.02, plus = MB } },
  { name = "heap", title = "given out by malloc", unit = "MB", follows = "scripts",
    allowance = { share = 0.02, plus = MB } },
  { name = "scripts_memory", title = "memory of scripts", unit = "MB", follows = "scripts",
    allowance = { share = 0.05, plus = MB } },
  { name = "scripts", title = "scripts: calls on our line, and jobs", unit = "" },
  { name = "jobs", title = "jobs", unit = "", allowance = { plus = 4 } },
  { name = "fds", title = "descriptors", unit = "", follows = "scripts", allowance = { plus = 4 } },
  { name = "sockets", title = "sockets", unit = "", follows = "scripts", allowance = { plus = 4 } },
  { name = "threads", title = "threads", unit = "", allowance = { plus = 2 } },
  { name = "mailbox", title = "deepest mailbox", unit = "", allowance = { plus = 64 } },
  { name = "journal", title = "facts not yet in PostgreSQL", unit = "", allowance = { plus = 400 } },
}

local function smaps(pid)
  local text = proc.read("/proc/" .. pid .. "/smaps_rollup")
  local function kb(name)
    return tonumber(text:match("\n" .. name .. ":%s+(%d+) kB")) or 0
  end
  return 1024 * kb "Rss", 1024 * kb "Pss"
end

local function descriptors(pid)
  local count = { fds = 0, sockets = 0, files = 0, others = 0 }
  local folder = "/proc/" .. pid .. "/fd"
  local ok, next_name, state = pcall(lfs.dir, folder)
  if not ok then
    return count
  end
  for name in next_name, state do
    local target = name:match "^%d+$" and lfs.symlinkattributes(folder .. "/" .. name, "target")
    if target then
      local kind = target:match "^socket:" and "sockets" or target:match "^/" and "files" or "others"
      count.fds, count[kind] = count.fds + 1, count[kind] + 1
    end
  end
  return count
end

-- "name{labels} value" added up over the labels; `most`: the largest.
local function metric(text, name, most)
  local sum
  for value in ("\n" .. text):gmatch("\n" .. name .. "%b{} (%S+)") do
    sum = most and math.max(sum or 0, tonumber(value)) or (sum or 0) + tonumber(value)
  end
  return sum or tonumber(("\n" .. text):match("\n" .. name .. " (%S+)")) or 0
end

function watch.node(n)
  local answer = n:admin "/metrics"
  if answer.status ~= 200 then
    return nil
  end
  local text, pid = answer.body, n.child.pid
  local s = descriptors(pid)
  s.rss, s.pss = smaps(pid)
  s.threads = tonumber(proc.read("/proc/" .. pid .. "/status"):match "Threads:%s+(%d+)") or 0
  s.heap, s.scripts_memory = metric(text, "ringdown_heap_bytes"), metric(text, "ringdown_scripts_memory_bytes")
  s.calls, s.scripts = metric(text, "ringdown_calls_active"), metric(text, "ringdown_scripts")
  -- A script is there a moment longer than its call.
  s.jobs = math.max(0, s.scripts - (tonumber(text:match 'ringdown_calls_active{[^}]*system="openai"[^}]*} (%d+)') or 0))
  s.mailbox, s.journal = metric(text, "ringdown_mailbox_depth", true), metric(text, "ringdown_journal_events")
  s.lost = metric(text, "ringdown_facts_lost_total") + metric(text, "ringdown_journal_dead_letters")
  s.zombies, s.warm = metric(text, "ringdown_zombies_total"), metric(text, "ringdown_warm_connections")
  return s
end

return watch
