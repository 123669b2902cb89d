-- SPDX-License-Identifier: Apache-2.0
-- The configuration of a node: copy it, change public.url, put the secrets into the environment.
--
--   ringdown serve --config ringdown.lua      (or ./ringdown.lua, or $RINGDOWN_CONFIG)
--   ringdown check --config ringdown.lua      tells every mistake with its line
--
-- Each setting is also an environment variable, named behind it; the variable wins over the file. A
-- secret may also lie in a file of its own, named by the variable with _FILE behind it. Paths are
-- relative to the folder the program was started in. Settings that are commented out show their
-- defaults.
return {
  public = {
    url = "https://calls.example.com",    -- RINGDOWN_PUBLIC_URL; what Twilio reaches. http:// for development
    -- listen = "0.0.0.0:8080",           -- RINGDOWN_LISTEN; "[::]:8080" for IPv6
    -- certificate = "/etc/ringdown/fullchain.pem", -- RINGDOWN_TLS_CERT; off: TLS ends in front of us
    -- private_key = "/etc/ringdown/privkey.pem",   -- RINGDOWN_TLS_KEY
  },

  -- ca_file = "/etc/ringdown/ca.pem",    -- RINGDOWN_CA_FILE; whom to trust, instead of the system's list

  openai = {
    model = "gpt-realtime-2.1",           -- OPENAI_REALTIME_MODEL; for agents that name none
    -- url = "wss://api.openai.com/v1/realtime",    -- OPENAI_REALTIME_URL
    -- live_url = "wss://api.openai.com/v1/live/sessions", -- OPENAI_LIVE_URL; agents with api = "live"
    -- key = "sk-...",                    -- OPENAI_API_KEY; a secret, better in the environment
    -- concurrency = 0,                   -- OPENAI_CONCURRENCY; sessions the account may have: told when they run out
    -- shutdowns = { ["gpt-realtime"] = "2027-01-20" }, -- OPENAI_SHUTDOWNS; models that go, over those that are known
  },

  twilio = {
    -- sid = "AC...",                     -- TWILIO_ACCOUNT_SID
    -- token = "...",                     -- TWILIO_AUTH_TOKEN; a secret
    -- tokens = { "new", "old" },         -- the same while rotating: TWILIO_AUTH_TOKEN=new,old
    -- api = "https://api.twilio.com",    -- TWILIO_API_URL
    -- balance = 20,                      -- TWILIO_BALANCE; told when the account holds less
  },

  -- heartbeat = { url = "https://watcher.example/…" }, -- RINGDOWN_HEARTBEAT_URL; told each minute that all is well

  -- synthetic = {                        -- the cluster rings itself, to know that calls get through
  --   to = "northside-plumbing",         -- RINGDOWN_SYNTHETIC_TO; an agent or one of its numbers
  --   every_s = 900,                     -- RINGDOWN_SYNTHETIC_EVERY_S
  --   system = "openai",                 -- RINGDOWN_SYNTHETIC_SYSTEM; or vapi, over a bridge
  --   first_audio_ms = 4000,             -- RINGDOWN_SYNTHETIC_FIRST_AUDIO_MS; later is too late
  --   dollars = 5,                       -- RINGDOWN_SYNTHETIC_DOLLARS; in a day
  --   reach = "http://127.0.0.1:8080",   -- RINGDOWN_SYNTHETIC_REACH; where public.url is found from here
  -- },

  -- vapi = {
  --   api = "https://api.vapi.ai",       -- VAPI_API_URL
  --   key = "...",                       -- VAPI_API_KEY; a secret
  --   secret = "...",                    -- VAPI_WEBHOOK_SECRET; a secret
  --   hmac = "…",                       -- VAPI_WEBHOOK_HMAC; the key that Vapi signs its webhooks with
  -- },

  -- data = "./var",                      -- RINGDOWN_DATA; control socket, secret, what must be kept
  agents = {
    path = "./agents",                    -- RINGDOWN_AGENTS
    -- source = "folder",                 -- RINGDOWN_AGENTS_SOURCE; "database": what was published
    -- watch = "on",                      -- RINGDOWN_AGENTS_WATCH; "off": changes wait for SIGHUP
  },
  -- library = "/usr/share/ringdown/scripts",       -- RINGDOWN_LIBRARY; found beside the program

  -- node = { name = "calls-1" },         -- RINGDOWN_NODE; this node in records and alerts: the host's name
  -- cluster = { secret = "64 hex digits" },        -- RINGDOWN_SECRET; made at first start, the same on
                                          -- all nodes: openssl rand -hex 32
  -- admin = { listen = "127.0.0.1:8081",           -- RINGDOWN_ADMIN_LISTEN
  --   hosts = "admin.example.com" },               -- RINGDOWN_ADMIN_HOSTS; names it is asked by, with commas
  -- database = { url = "postgresql://ringdown@db.example/ringdown" }, -- DATABASE_URL; a secret

  -- sentry = {
  --   dsn = "https://key@sentry.example/1",        -- SENTRY_DSN; a secret
  --   environment = "production",                  -- SENTRY_ENVIRONMENT
  --   release = "ringdown@0.1.0",                  -- SENTRY_RELEASE; the program's version when off
  --   failed_calls = 10,                           -- RINGDOWN_SENTRY_FAILED_CALLS; in five minutes; 0: never
  -- },
  -- smtp = {
  --   url = "smtps://user:password@mail.example",  -- SMTP_URL; a secret. smtp:// with port 587: by STARTTLS
  --   from = "alerts@example.com",                 -- SMTP_FROM
  --   ca = "mail-authority.pem",                   -- SMTP_CA_FILE; ca_file, else the system's
  -- },
  -- alerts = {
  --   channels = {                                 -- RINGDOWN_ALERT_CHANNELS, as JSON; a secret
  --     { name = "ops", kind = "mail", to = { "ops@example.com" } },
  --     { name = "desk", kind = "webhook", url = "https://desk.example/alerts", secret = "…",
  --       severities = { "page" } },
  --   },
  --   rules = "alerts.lua",                        -- RINGDOWN_ALERT_RULES; rules of your own
  -- },

  -- What agents name in needs.secrets; without it, the environment variable of that name is used.
  -- secrets = { DISPATCH_KEY = "..." },                               -- RINGDOWN_SECRETS; secret
  -- Points hosts of needs.hosts to an address, such as a double on this machine.
  -- http = { resolve = { ["api.dispatch.example"] = "127.0.0.1:9443" } },  -- RINGDOWN_HTTP_RESOLVE
  log = {
    level = "info",                       -- RINGDOWN_LOG; error, warn, info or debug
    format = "logfmt",                    -- RINGDOWN_LOG_FORMAT; logfmt or json
  },

  metrics = { agents = 64 },              -- RINGDOWN_METRICS_AGENTS; told apart in the metrics, others are "other"

  -- media_threads = 1,                   -- RINGDOWN_MEDIA_THREADS; half of the cores
  -- script_threads = 1,                  -- RINGDOWN_SCRIPT_THREADS; half of the cores
  -- max_calls = 200,                     -- RINGDOWN_MAX_CALLS; 200 for each media thread
  -- max_calls_per_caller = 3,            -- RINGDOWN_MAX_CALLS_PER_CALLER; calls at once from one number; 0: no limit
  -- caller_flood = 5,                    -- RINGDOWN_CALLER_FLOOD; beyond them, in a minute; then busy; 0: never
  -- script_deadline_ms = 2000,           -- RINGDOWN_SCRIPT_DEADLINE_MS; then a webhook gets the fallback
  -- drain_seconds = 300,                 -- RINGDOWN_DRAIN_SECONDS; how long calls may go on after SIGTERM
  -- recordings = { max_mb = 10240 },     -- RINGDOWN_RECORDINGS_MAX_MB; when it is full no more are made
  -- force = "off",                       -- RINGDOWN_FORCE; openai or vapi: every new call goes there
}
