-- SPDX-License-Identifier: Apache-2.0
local pg = require "spec.support.postgres"

describe("the schema keeps", function()
  local url

  before_each(function()
    url = pg.database()
  end)

  local function refused(state, sql)
    local ok, words, got = pg.try(url, sql)
    assert.is_false(ok, sql)
    assert.equal(state, got, words)
  end

  local function book(resource, from, to, status)
    return ("insert into appointments (agent, resource, during, status) values ('a', '%s', "
      .. "'[2026-12-01 %s+00, 2026-12-01 %s+00)', '%s')"):format(resource, from, to, status or "booked")
  end

  it("one plumber from being in two places", function()
    pg.run(url, book("sam", "09:00", "10:00"))
    refused("23P01", book("sam", "09:59", "11:00"))
    refused("23P01", book("sam", "08:00", "12:00"))
    pg.run(url, book("sam", "10:00", "11:00"))
    pg.run(url, book("kim", "09:00", "10:00"))
    pg.run(url, book("sam", "09:30", "09:45", "cancelled"))
    refused("23514", book("sam", "12:00", "12:00"))
    refused("23514", "insert into appointments (agent, resource, during) values ('a', 'sam', '[2026-12-01,)')")
  end)

  it("a booking asked for twice from being made twice", function()
    local sql = "insert into appointments (agent, resource, during, idempotency_key) values ('a', '%s', "
      .. "'[2026-12-02 09:00+00, 2026-12-02 10:00+00)', 'key')"
    pg.run(url, sql:format "sam")
    refused("23505", sql:format "kim")
  end)

  it("two people from changing one rollout unseen", function()
    local function put(expected, percent, who)
      local plan = ('{"percent_bp": %d, "state": "running"}'):format(percent)
      return pg.query(url, ("select rollout_put('sales', %d, '%s', '%s') as v"):format(expected, plan, who))[1].v
    end
    assert.equal(1, put(0, 2500, "alice"))
    assert.equal(2, put(1, 5000, "alice"))
    assert.is_nil(put(1, 0, "bob"))
    assert.is_nil(put(7, 0, "bob"))
    assert.same({ { version = 2, percent_bp = 5000, updated_by = "alice", salt = "v1" } },
      pg.query(url, "select version, percent_bp, updated_by, salt from rollout_now"))
    refused("23514", "select rollout_put('sales', 2, '{\"percent_bp\": 10001}', 'bob')")
  end)

  it("numbers that are numbers", function()
    for _, number in ipairs { "13125550142", "+0312", "+1312555014201234", "anonymous", "" } do
      refused("23514", ("insert into phone_numbers (number, agent) values ('%s', 'a')"):format(number))
    end
    pg.run(url, "insert into phone_numbers (number, agent) values ('+13125550142', 'a')")
    refused("23503", "insert into phone_numbers (number, agent, site) values ('+13125550143', 'a', 'nowhere')")
  end)

  it("opt-outs as hashes and nothing else", function()
    refused("23514", "insert into opt_outs (number_hash, source) values ('+13125550142', 'stop')")
    pg.run(url, "insert into opt_outs (number_hash, source) values (sha256('x'), 'stop')")
    refused("23505", "insert into opt_outs (number_hash, source) values (sha256('x'), 'operator')")
  end)

  it("an emergency acted on once per call and rule", function()
    pg.run(url, "insert into calls (call, started_at) values ('CA1', now())")
    local sql = [[insert into triage_matches (call, rule, severity, matched_at)
      values ('CA1', 'gas-leak', 'life', now())]]
    pg.run(url, sql)
    refused("23505", sql)
    refused("23514", "update triage_matches set state = 'handled'")
    pg.run(url, "update triage_matches set state = 'handled', handled_at = now(), handled_by = 'sam'")
    pg.run(url, [[insert into triage_steps (call, rule, step, kind, target, state, at)
      values ('CA1', 'gas-leak', 1, 'transfer', '+13125550188', 'no_answer', now())]])
  end)
end)
