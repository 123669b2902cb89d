-- SPDX-License-Identifier: Apache-2.0
-- What is in the package, in one place; and what it is made of. Neither builds anything.
local json = require "cjson"
local lfs = require "lfs"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

local function run(command)
  local pipe = assert(io.popen("{ " .. command .. "\n} 2>&1; printf '%d' $?"))
  local said, code = pipe:read("a"):match "^(.-)(%d+)$"
  pipe:close()
  return said, tonumber(code)
end

describe("the package", function()
  -- Where docs/packages.md says that things are; the stage `package` looks whether they are.
  local PLACES = {
    "/usr/bin/ringdown", "/usr/share/ringdown/0.1.0", "/usr/share/ringdown/agents", "/etc/ringdown/ringdown.lua",
    "/etc/ringdown/environment", "/etc/ringdown/agents", "/lib/systemd/system", "/usr/lib/sysusers.d/ringdown.conf",
    "/var/lib/ringdown", "/usr/share/doc/ringdown", "/usr/share/man",
  }

  it("puts things where its page says", function()
    local page = read "docs/packages.md"
    for _, place in ipairs(PLACES) do
      assert.is_truthy(page:find("\n| `" .. place .. "`", 1, true), place)
    end
  end)

  it("keeps what operators change", function()
    local known = { ["/etc/ringdown/environment"] = true, ["/etc/ringdown/ringdown.lua"] = true }
    for line in read "packaging/conffiles":gmatch "[^\n]+" do
      assert.is_true(known[line], line)
      known[line] = nil
    end
    assert.is_nil(next(known))
  end)

  it("brings a configuration with the folders of an installation", function()
    local where = run("mktemp -d /tmp/ringdown-contents.XXXXXX"):match "%S+"
    local said, code = run(("sed -n '/^file(READ .*ringdown.lua/,/^file(CONFIGURE/p' packaging/package.cmake "
      .. ">%s/a.cmake && cmake -DCMAKE_SOURCE_DIR=$PWD -Dpackage_out=%s -P %s/a.cmake && cat %s/ringdown.lua")
      :format(where, where, where, where))
    run("rm -r " .. where)
    assert.equal(0, code, said)
    local settings = assert(load(said))()
    assert.equal("/var/lib/ringdown", settings.data)
    assert.equal("/etc/ringdown/agents", settings.agents.path)
  end)

  it("has scripts that dash and bash read", function()
    for _, name in ipairs { "postinst", "prerm", "postrm" } do
      assert.equal("", (run("sh -n packaging/" .. name)))
      assert.equal("rwxr-xr-x", lfs.attributes("packaging/" .. name).permissions)
    end
    assert.equal("", (run "bash -n packaging/check && bash -n scripts/package && bash -n scripts/stranger"))
  end)

  it("deletes what was kept at purge alone, and says so", function()
    local text = read "packaging/postrm"
    local before, purge = text:match "^(.-)\npurge%)\n(.-);;"
    assert.is_nil(before:find("rm [^\n]*/var/lib"))
    assert.is_nil(before:find("rm [^\n]*/etc"))
    assert.is_truthy(purge:find "echo \"ringdown: deleting /var/lib/ringdown")
    assert.is_truthy(purge:find "rm %-rf /var/lib/ringdown ")
  end)
end)

describe("what it is made of", function()
  local program = os.getenv "RINGDOWN_BIN" or "build/dev/ringdown"
  local text, document

  setup(function()
    local code
    text, code = run("scripts/sbom " .. program)
    assert.equal(0, code, text)
    document = json.decode(text)
  end)

  it("is CycloneDX 1.5, with what that needs", function()
    assert.equal("CycloneDX", document.bomFormat)
    assert.equal("1.5", document.specVersion)
    assert.equal("ringdown", document.metadata.component.name)
    local refs = {}
    for _, component in ipairs(document.components) do
      assert.equal("library", component.type)
      assert.matches("^pkg:%a+/", component.purl)
      assert.is_string(component.version)
      assert.is_nil(refs[component["bom-ref"]], "twice: " .. component["bom-ref"])
      refs[component["bom-ref"]] = true
    end
    for _, ref in ipairs(document.dependencies[1].dependsOn) do
      assert.is_true(refs[ref], ref)
    end
  end)

  it("has what the program links and what the console brings, and no tool of the build", function()
    local names = {}
    for _, component in ipairs(document.components) do
      names[component.name] = true
    end
    for name in ("libc6 libssl3 libuv1 libpq5 liblua5.4-0 libsqlite3-0 preact uplot"):gmatch "%S+" do
      assert.is_true(names[name], name)
    end
    assert.is_nil(names.vite)
    assert.is_nil(names["libc6-i386"])
  end)

  it("is the same each time", function()
    assert.equal(text, (run("scripts/sbom " .. program)))
    assert.is_nil(text:find "timestamp")
    assert.is_nil(text:find "serialNumber")
  end)
end)
