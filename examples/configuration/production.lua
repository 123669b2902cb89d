-- SPDX-License-Identifier: Apache-2.0
-- A node in production, one of several that share a database. No secret stands in this file. The environment has them:
-- OPENAI_API_KEY, TWILIO_AUTH_TOKEN, VAPI_API_KEY, VAPI_WEBHOOK_HMAC, DATABASE_URL, RINGDOWN_SECRET (the same on all
-- nodes), SENTRY_DSN, SMTP_URL, RINGDOWN_ALERT_CHANNELS, and what agents name in needs.secrets; or files that NAME_FILE
-- names. All settings: examples/ringdown.lua.
--
--   ringdown check --config /etc/ringdown/ringdown.lua
return {
  public = {
    url = "https://calls.example.com", -- of the balancer, the same on all nodes
    listen = "127.0.0.1:8080",         -- TLS ends in HAProxy on this machine
  },
  data = "/var/lib/ringdown",          -- on a disk that is encrypted: journal and recordings lie there
  agents = {
    source = "database",               -- what `ringdown agents publish` put there, on all nodes at once
    path = "/var/lib/ringdown/agents",
  },
  openai = { model = "gpt-realtime-2.1", concurrency = 100 },
  twilio = { sid = "AC00000000000000000000000000000000", balance = 50 },
  admin = { listen = "127.0.0.1:8081", hosts = "ops.example.com" }, -- behind a proxy that speaks TLS
  heartbeat = { url = "https://watcher.example/ringdown" },         -- tells when nobody leads any more
  synthetic = { to = "corner-bistro", every_s = 900, dollars = 2 }, -- rings itself; an agent of yours
  smtp = { from = "alerts@example.com" },
  log = { level = "info", format = "json" },
  max_calls = 100,
  max_calls_per_caller = 3,
  drain_seconds = 600,
  recordings = { max_mb = 20480 },
}
