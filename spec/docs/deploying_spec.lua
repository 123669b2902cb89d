-- SPDX-License-Identifier: Apache-2.0
-- The examples for those who run it, each asked by its own tool: systemd, HAProxy, TypeScript.
local lfs = require "lfs"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

-- What it said (both streams), and how it ended.
local function run(command)
  local pipe = assert(io.popen("{ " .. command .. "\n} 2>&1; printf '%d' $?"))
  local said, code = pipe:read("a"):match "^(.-)(%d+)$"
  pipe:close()
  return said, tonumber(code)
end

local function folder()
  return (run "mktemp -d /tmp/ringdown-deploying.XXXXXX":match "%S+")
end

describe("the units for systemd", function()
  local EXPOSURE = 21 -- tenths; 20 and less was measured, and no more than this is allowed
  local where

  setup(function()
    where = folder()
    local said, code = run(("cp examples/systemd/ringdown* %s && sed -i 's|^\\(Exec[A-Za-z]*\\)=.*|\\1=/bin/true|' "
      .. "%s/*.service"):format(where, where))
    assert.equal(0, code, said)
  end)

  teardown(function()
    run("rm -r " .. where)
  end)

  for _, unit in ipairs { "ringdown.service", "ringdown.socket", "ringdown@1.service", "ringdown@1.socket" } do
    it("are understood: " .. unit, function()
      local said, code = run(("cd %s && systemd-analyze verify --man=no ./%s"):format(where, unit))
      assert.equal("", said)
      assert.equal(0, code)
    end)
  end

  for _, unit in ipairs { "ringdown.service", "ringdown@.service" } do
    it("allow no more than they did: " .. unit, function()
      local said, code = run(("systemd-analyze security --offline=true --threshold=%d %s/%s"):format(EXPOSURE, where,
        unit))
      assert.equal(0, code, said)
    end)
  end

  it("wait for a drain and a minute more", function()
    local drain = tonumber(read "docs/configuration.md":match "`drain_seconds` | `RINGDOWN_DRAIN_SECONDS` | `(%d+)`")
    for _, name in ipairs { "ringdown", "ringdown@" } do
      local stop = tonumber(read("examples/systemd/" .. name .. ".service"):match "\nTimeoutStopSec=(%d+)")
      assert.is_true(stop >= drain + 100, name)
    end
  end)
end)

describe("the objects for Kubernetes", function()
  local HERE = "examples/kubernetes"

  it("are what their types say, and in the files that kubectl gets", function()
    assert.is_table(lfs.attributes(HERE .. "/node_modules"), "scripts/setup --tests fetches its packages")
    local where = folder()
    local said, code = run(("cd %s && npm run --silent manifests -- %s"):format(HERE, where))
    assert.equal("", said)
    assert.equal(0, code)
    for _, name in ipairs { "migrate.yaml", "ringdown.yaml", "autoscaler.yaml" } do
      assert.equal(read(where .. "/" .. name), read(HERE .. "/" .. name),
        name .. " is old: npm run manifests in " .. HERE)
    end
    run("rm -r " .. where)
  end)

  it("let a node leave in its time", function()
    local text = read(HERE .. "/ringdown.yaml")
    local grace = tonumber(text:match "terminationGracePeriodSeconds: (%d+)")
    local drain = tonumber(text:match 'RINGDOWN_DRAIN_SECONDS: "(%d+)"')
    assert.is_true(grace >= drain + 100)
  end)

  it("set what there is to set", function()
    local known, text = read "docs/configuration.md", read(HERE .. "/ringdown.yaml")
    for name in text:gmatch "[%s\"](RINGDOWN_[A-Z_]+)" do
      assert.is_truthy(known:find("`" .. name .. "`", 1, true), name .. " is no setting")
    end
  end)
end)

-- Only what needs no network and no Docker.
describe("the image", function()
  local text = read "examples/docker/Dockerfile"

  it("is one, and Kubernetes has no other", function()
    assert.is_nil(lfs.attributes "examples/kubernetes/Dockerfile")
    assert.is_truthy(read("examples/kubernetes/README.md"):find("-f examples/docker/Dockerfile", 1, true))
  end)

  it("runs as the user that Kubernetes asks for, and never as root", function()
    local user, group = text:match "\nUSER (%d+):(%d+)\n"
    local objects = read "examples/kubernetes/ringdown.yaml"
    assert.equal(user, objects:match "runAsUser: (%d+)")
    assert.equal(group, objects:match "runAsGroup: (%d+)")
    assert.is_truthy(text:find("--uid " .. user .. " --gid " .. group, 1, true))
  end)

  it("has each package that the build wants, and says how it is well", function()
    local wanted = read("scripts/setup"):match "# what the runtime links\n(.-)postgresql%-15"
    local n = 0
    for package in wanted:gmatch "%S+" do
      n = n + 1
      assert.is_truthy(text:find("[ \n]" .. package:gsub("%p", "%%%0") .. "[ \n]"), package)
    end
    assert.is_true(n >= 10)
    assert.is_truthy(text:find('HEALTHCHECK [^\n]*"ringdown", "status"'))
  end)

  it("has no secret in it: those of compose are files that are mounted", function()
    local compose = read "examples/docker/compose.yaml"
    for _, name in ipairs { "OPENAI_API_KEY", "TWILIO_AUTH_TOKEN", "DATABASE_URL" } do
      assert.is_nil(text:find(name, 1, true))
      assert.is_truthy(compose:find(name .. "_FILE: /run/secrets/", 1, true), name)
      assert.is_nil(compose:find(name .. "[:=]"), name)
    end
  end)
end)

describe("the configuration of HAProxy", function()
  it("is explained: each of its variables", function()
    local guide, n = read "examples/haproxy/README.md", 0
    for name in read "examples/haproxy/haproxy.cfg":gmatch "\"%${(RINGDOWN_[A-Z0-9_]+)" do
      n = n + 1
      assert.is_truthy(guide:find("`" .. name .. "`", 1, true), name)
    end
    assert.is_true(n >= 10)
  end)
end)
