-- SPDX-License-Identifier: Apache-2.0
-- Whoever follows a link in the documents gets somewhere: every relative link, every #anchor, every picture. Whoever
-- begins at docs/README.md can get everywhere.
local lfs = require "lfs"
local pages = require "spec.support.pages"

-- Read by programs: no documents.
local PROMPTS = { ["scripts/ringdown/new/prompt.md"] = true, ["spec/support/api_page.md"] = true }

-- What is wrong with the links of a page, each with its line. `anchors_of` asks for another page's.
local function wrong_links(page, text, anchors_of)
  local wrong = {}
  for _, link in ipairs(pages.links(text)) do
    local path, anchor = pages.target(page, link.to)
    local what = path and lfs.attributes(path == "" and "." or path, "mode")
    if not what then
      wrong[#wrong + 1] = ("%s:%d: %s is not there"):format(page, link.n, link.to)
    elseif anchor ~= "" and path:find "%.md$" and not anchors_of(path)[anchor] then
      wrong[#wrong + 1] = ("%s:%d: %s has no heading #%s"):format(page, link.n, path, anchor)
    end
  end
  return wrong
end

describe("the documents", function()
  local all, texts, anchors = pages.all(), {}, {}

  local function anchors_of(path)
    anchors[path] = anchors[path] or pages.anchors(texts[path] or pages.read(path))
    return anchors[path]
  end

  setup(function()
    for _, page in ipairs(all) do
      texts[page] = pages.read(page)
    end
  end)

  it("are found", function()
    assert.is_true(#all > 40, #all .. " pages")
  end)

  it("link only to what there is", function()
    local wrong = {}
    for _, page in ipairs(all) do
      for _, line in ipairs(PROMPTS[page] and {} or wrong_links(page, texts[page], anchors_of)) do
        wrong[#wrong + 1] = line
      end
    end
    assert.equal("", table.concat(wrong, "\n"))
  end)

  it("are all reached from docs/README.md", function()
    local reached, next_ones = { ["docs/README.md"] = true }, { "docs/README.md" }
    local function reach(path)
      if texts[path] and not reached[path] then
        reached[path] = true
        next_ones[#next_ones + 1] = path
      end
    end
    while #next_ones > 0 do
      local page = table.remove(next_ones)
      for _, link in ipairs(pages.links(texts[page])) do
        local path = pages.target(page, link.to)
        reach(path)
        if lfs.attributes(path, "mode") == "directory" then -- GitHub lists it
          for _, other in ipairs(all) do
            if other:match "^(.*)/[^/]*$" == path then reach(other) end
          end
        end
      end
    end
    local lonely = {}
    for _, page in ipairs(all) do
      if not reached[page] and page:find "^docs/" then lonely[#lonely + 1] = page end
    end
    assert.same({}, lonely)
  end)

  it("would not be right with a page, a picture or a heading that is gone", function()
    local text = "# Here\n[a](errors.md) [b](gone.md) ![c](console/gone.png) [d](#here) [e](#there)\n"
      .. "[f](alerts.md#gone) `[g](code.md)` <https://example.com>\n```\n[h](fenced.md)\n```\n[i](../../out.md)\n"
    assert.same({
      "docs/errors.md:2: gone.md is not there",
      "docs/errors.md:2: console/gone.png is not there",
      "docs/errors.md:2: docs/errors.md has no heading #there",
      "docs/errors.md:3: docs/alerts.md has no heading #gone",
      "docs/errors.md:7: ../../out.md is not there",
    }, wrong_links("docs/errors.md", text, function(path)
      return path == "docs/errors.md" and pages.anchors(text) or anchors_of(path)
    end))
  end)
end)

describe("an anchor", function()
  for heading, anchor in pairs {
    ["Where to look first"] = "where-to-look-first",
    ["What is kept, and for how long?"] = "what-is-kept-and-for-how-long",
    ["`public.url` and *TLS*"] = "publicurl-and-tls",
    ["A tool — or two"] = "a-tool--or-two",
    ["[Rollouts](rollout.md) & guards"] = "rollouts--guards",
    ["sentry_dsn"] = "sentry_dsn",
  } do
    it("of '" .. heading .. "' is #" .. anchor, function()
      assert.equal(anchor, pages.anchor(heading))
    end)
  end

  it("is counted when a heading comes again", function()
    local found = pages.anchors "# One\n## Way back\n## Way back\n```\n# no heading\n```\n"
    assert.same({ one = 1, ["way-back"] = 2, ["way-back-1"] = 3 }, found)
  end)
end)
