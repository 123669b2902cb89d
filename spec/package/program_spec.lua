-- SPDX-License-Identifier: Apache-2.0
-- What the package makes of the program: its manual, completions, version, and where an installed one finds its files.
local json = require "cjson"

local program = os.getenv "RINGDOWN_BIN" or "build/dev/ringdown"

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

local function ringdown(words)
  local said, code = run(program .. " " .. words)
  assert.equal(0, code, said)
  return said
end

local function commands()
  local list = {}
  for name in ringdown("--help"):gmatch "\n  ([a-z]+) +%S" do
    list[#list + 1] = name
  end
  assert.is_true(#list >= 30)
  return list
end

describe("the manual", function()
  it("has every command, in the words of its --help", function()
    local page = ringdown "man | man -l - | col -b"
    for _, name in ipairs(commands()) do
      assert.is_truthy(page:find("\n   " .. name .. "\n", 1, true), name)
    end
    assert.is_truthy(page:find("usage: ringdown serve [--take-over] [--config FILE]", 1, true))
  end)

  it("has every setting that docs/configuration.md has, and no other", function()
    local page, guide, n = ringdown "man configuration", read "docs/configuration.md", 0
    for key, name in page:gmatch "%.TP\n%.B ([%w_.]+)\n.-In the environment: ([%u%d_]+)" do
      n = n + 1
      assert.is_truthy(guide:find("`" .. name .. "`", 1, true), key .. ": " .. name)
    end
    assert.is_true(n >= 50)
    for name in guide:gmatch "\n| [^|]+ | `(%u[%u%d_]+)`" do
      assert.is_truthy(page:find("In the environment: " .. name, 1, true), name)
    end
  end)

  it("is what groff understands, all of it", function()
    for _, page in ipairs { "man", "man configuration" } do
      local said = run(("%s %s | LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Tutf8 -Z - 2>&1 >/dev/null"):format(program,
        page))
      assert.equal("", said)
    end
  end)
end)

describe("completion", function()
  local function completed(words, place)
    local said, code = run(([[bash -c '. <(%s completion bash); COMP_WORDS=(%s); COMP_CWORD=%d; _ringdown
      printf "%%s\n" "${COMPREPLY[@]}"']]):format(program, words, place))
    assert.equal(0, code, said)
    local list = {}
    for word in said:gmatch "%S+" do
      list[#list + 1] = word
    end
    return list
  end

  it("offers commands", function()
    assert.same({ "check" }, completed("ringdown che", 1))
    assert.equal(#commands() + 2, #completed("ringdown ''", 1))
  end)

  it("offers verbs and options of the command alone", function()
    local all = completed("ringdown calls ''", 2)
    assert.same({ "hang-up", "--help" }, { all[1], all[#all] })
    assert.same({ "--follow" }, completed("ringdown calls --fo", 2))
    assert.same({}, completed("ringdown version --fo", 2))
  end)

  it("offers what may stand behind an option, and paths else", function()
    assert.same({ "viewer" }, completed("ringdown console link --role vi", 4))
    assert.same({}, completed("ringdown check --config ''", 3))
    assert.matches("complete %-o bashdefault %-o default %-F _ringdown ringdown", ringdown "completion bash")
  end)

  it("has every command in zsh and fish, too", function()
    local zsh, fish = ringdown "completion zsh", ringdown "completion fish"
    for _, name in ipairs(commands()) do
      assert.is_truthy(zsh:find("\n        '" .. name .. "':'", 1, true), name)
      assert.is_truthy(fish:find("__fish_use_subcommand -f -a " .. name .. " -d '", 1, true), name)
    end
    assert.is_truthy(fish:find("from console' -l role -x -a 'viewer operator admin'", 1, true))
  end)

  it("says which shells there are", function()
    local said, code = run(program .. " completion tcsh")
    assert.equal(2, code)
    assert.equal("ringdown completion: for which shell? ringdown completion bash, zsh or fish\n", said)
  end)
end)

describe("the version", function()
  it("says what the program was made of", function()
    local facts = json.decode(ringdown "version --json")
    assert.matches("^%d+%.%d+%.%d+$", facts.version)
    assert.matches("^GNU %d+", facts.compiler)
    for _, name in ipairs { "openssl", "libuv", "libcurl", "zlib", "lua", "libpq", "sqlite", "jansson" } do
      assert.matches("^%d+%.%d+", facts.libraries[name], nil, nil, name)
    end
    local text = ringdown "version"
    assert.equal("ringdown " .. facts.version, text:match "^[^\n]+")
    assert.is_truthy(text:find("openssl " .. facts.libraries.openssl, 1, true))
    assert.is_truthy(text:find("\ncommit     " .. (facts.commit or "not from git") .. "\n", 1, true))
  end)

  -- packaging/facts.cmake, as the build calls it.
  local function facts(environment, source)
    local out = os.tmpname()
    local said, code = run(("%s cmake -DSOURCE=%s -DOUT=%s -DCOMPILER=x -DTYPE=y -DSANITIZERS= -DCONSOLE=ON "
      .. "-P packaging/facts.cmake"):format(environment, source, out))
    assert.equal(0, code, said)
    local text = read(out)
    os.remove(out)
    return text
  end

  it("has no time, unless one was given", function()
    assert.matches('.built = "",', facts("env -u SOURCE_DATE_EPOCH", "$PWD"), 1, true)
    assert.matches('.built = "2001-09-09T01:46:40Z",', facts("SOURCE_DATE_EPOCH=1000000000", "$PWD"), 1, true)
  end)

  it("says so when the tree is not from git", function()
    assert.matches('.commit = "",', facts("", "/usr/share"), 1, true)
  end)
end)

describe("an installed program", function()
  local where

  setup(function()
    where = run("mktemp -d /tmp/ringdown-installed.XXXXXX"):match "%S+"
    local version = json.decode(ringdown "version --json").version
    local share = where .. "/usr/share/ringdown/" .. version
    local said, code = run(("mkdir -p %s/usr/bin %s %s/agents && ln -s $PWD/scripts $PWD/sql %s && cp %s %s/usr/bin")
      :format(where, share, where, share, program, where))
    assert.equal(0, code, said)
  end)

  teardown(function()
    run("rm -r " .. where)
  end)

  it("finds the library of its own version", function()
    local said = run(("cd %s && env -i OPENAI_API_KEY=x TWILIO_AUTH_TOKEN=x RINGDOWN_PUBLIC_URL=http://x "
      .. "usr/bin/ringdown check --print"):format(where))
    assert.matches("usr/share/ringdown/%d+%.%d+%.%d+/scripts", said)
  end)
end)
