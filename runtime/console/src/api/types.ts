// SPDX-License-Identifier: Apache-2.0
// Made from docs/openapi.yaml by `npm run types`.

export type Agent = {
  /** of its files */
  version: string;
  agent: string;
  /** in its file; others are assigned */
  numbers: string[];
  warnings: string | null;
};

export type AgentErrors = {
  items: {
    /** which answers meanwhile; null: none */
    version: string | null;
    lines: string;
    module: string;
  }[];
};

export type AgentVersion = {
  version: string;
  /** on the node that answers */
  current: boolean;
  first_seen_at: string;
  last_seen_at: string;
};

export type AgentVersions = {
  items: AgentVersion[];
};

export type Agents = {
  /** files that do not load; see /agents/errors */
  errors: number;
  items: Agent[];
};

export type AgentsDiff = {
  files: {
    added?: string[];
    /** of the first difference */
    line: number | null;
    path: string;
    /** from the first to the last difference */
    removed?: string[];
    state: "added" | "removed" | "changed";
  }[];
  from: string;
  to: string;
};

export type Alarm = {
  closed_at: string | null;
  /** nobody said that it is over: its node left */
  closed_why: string | null;
  count: number;
  fix: string | null;
  id: string;
  /** a code of docs/errors.md */
  kind: string;
  last_at: string;
  node: string;
  open: boolean;
  opened_at: string;
  severity: "warning" | "critical";
  /** which call, agent, file; empty: the node */
  subject: string;
  text: string;
};

export type Alert = {
  ack_note: string | null;
  acked_at: string | null;
  acked_by: string | null;
  began_at: string | null;
  /** one that shows it */
  call: string | null;
  fired_at: string | null;
  fix: string | null;
  id: string;
  labels: Record<string, string>;
  /** a silence, another alert, the limit of notices */
  muted_by: string | null;
  resolved_at: string | null;
  rule: string;
  severity: "page" | "ticket" | "info";
  state: "pending" | "firing" | "resolved";
  text: string | null;
  threshold: number | null;
  told_at: string | null;
  value: number | null;
};

export type AlertRules = {
  items: {
    name: string;
    about: string;
    /** when it fires */
    condition: string;
    /** how long that must be so */
    for_s: number;
    /** where it stands what to do */
    runbook: string;
    severity: "page" | "ticket" | "info";
    /** of the value */
    unit?: string;
  }[];
  /** in the file of one's own rules, which counts as if it were not there */
  mistakes: string[];
};

export type AlertWithNotices = {
  ack_note: string | null;
  acked_at: string | null;
  acked_by: string | null;
  began_at: string | null;
  /** one that shows it */
  call: string | null;
  fired_at: string | null;
  fix: string | null;
  id: string;
  labels: Record<string, string>;
  /** a silence, another alert, the limit of notices */
  muted_by: string | null;
  notices: {
    attempts: number;
    channel: string;
    given_up_at: string | null;
    made_at: string | null;
    sent_at: string | null;
    status: string;
    why: string | null;
  }[];
  resolved_at: string | null;
  rule: string;
  severity: "page" | "ticket" | "info";
  state: "pending" | "firing" | "resolved";
  text: string | null;
  threshold: number | null;
  told_at: string | null;
  value: number | null;
};

/** a visit */
export type Appointment = {
  name: string | null;
  agent: string;
  begins: string;
  /** which booked it */
  call: string | null;
  created_at: string;
  customer: string | null;
  ends: string;
  id: string;
  key: string | null;
  notes: string | null;
  number: string | null;
  resource: string;
  service: string | null;
  site: string;
  status: "booked" | "cancelled";
  updated_at: string;
};

/** a visit as it is then */
export type AppointmentChanged = {
  name: string | null;
  agent: string;
  begins: string;
  /** which booked it */
  call: string | null;
  /** false: it was so already */
  changed: boolean;
  created_at: string;
  customer: string | null;
  /** nothing was written: this is what would be */
  dry_run: boolean | null;
  ends: string;
  id: string;
  key: string | null;
  notes: string | null;
  number: string | null;
  resource: string;
  /** what one should know */
  said: string[];
  service: string | null;
  site: string;
  status: "booked" | "cancelled";
  updated_at: string;
  was: {
    begins: string;
    ends: string;
    resource?: string;
    status?: string;
  } | null;
};

/** it was asked for; the events of the call tell what came of it */
export type Asked = {
  asked: string;
  call: string;
};

export type Assigned = {
  version: string;
  /** of a dry run: it would be */
  changed: boolean;
  /** nothing was written */
  dry_run: boolean | null;
  /** what happens to the next call */
  next_call: string;
  number: string;
  /** of a dry run: how it is */
  was: {
    agent: string | null;
    assigned?: boolean;
    site: string | null;
  } | null;
};

/** what a call amounts to */
export type Call = {
  version: string | null;
  agent: string | null;
  barge_ins: number;
  call: string;
  /** null: not known, and cost_reason says why */
  cost_micro_usd: number | null;
  cost_reason: string | null;
  direction: string | null;
  /** the carrier's */
  duration_s: number | null;
  /** rules that matched, without those that were only recorded */
  emergencies: number;
  ended_at: string | null;
  /** the caller was forgotten */
  erased: boolean;
  errors: number;
  failed_over_to: string | null;
  first_audio_ms: number | null;
  fix: string | null;
  from: string | null;
  /** taken over from Vapi, not answered here */
  imported: boolean;
  missed: string | null;
  model: string | null;
  node: string | null;
  /** why it ended */
  outcome: string | null;
  /** why so */
  reason: string | null;
  started_at: string | null;
  /** connecting, live, leaving, closing, ended */
  state: string | null;
  /** the carrier's word */
  status: string | null;
  /** who answered: openai, vapi, fallback */
  system: string | null;
  to: string | null;
  tool_calls: number;
  turns: number;
};

/** what a call costs; what is not known is null, with the reason */
export type CallCost = {
  computed_at: string | null;
  lines: {
    basis: string | null;
    item: string;
    micro_usd_exact: number | null;
    micro_usd_per_million: number | null;
    model: string | null;
    quantity: number | null;
    reason: string | null;
    unit: string | null;
  }[];
  micro_usd: number | null;
  reason: string | null;
  /** what the model and the transcription cost, turn by turn, in order */
  turns: TurnCost[];
  /** why there are none */
  turns_reason: string | null;
  /** the same for people, to a hundredth of a cent */
  usd: string | null;
};

/** the same, and how long the caller waited for each answer */
export type CallWithWaits = {
  version: string | null;
  agent: string | null;
  barge_ins: number;
  call: string;
  /** null: not known, and cost_reason says why */
  cost_micro_usd: number | null;
  cost_reason: string | null;
  direction: string | null;
  /** the carrier's */
  duration_s: number | null;
  /** rules that matched, without those that were only recorded */
  emergencies: number;
  ended_at: string | null;
  /** the caller was forgotten */
  erased: boolean;
  errors: number;
  failed_over_to: string | null;
  first_audio_ms: number | null;
  fix: string | null;
  from: string | null;
  /** taken over from Vapi, not answered here */
  imported: boolean;
  missed: string | null;
  model: string | null;
  node: string | null;
  /** why it ended */
  outcome: string | null;
  /** why so */
  reason: string | null;
  started_at: string | null;
  /** connecting, live, leaving, closing, ended */
  state: string | null;
  /** the carrier's word */
  status: string | null;
  /** who answered: openai, vapi, fallback */
  system: string | null;
  to: string | null;
  tool_calls: number;
  turns: number;
  /** turns of the agent that answer the caller, in order, the first 500 */
  waits: Wait[];
};

/** one change; the audit is never edited */
export type Change = {
  after: Record<string, unknown> | null;
  at: string;
  before: Record<string, unknown> | null;
  id: string;
  node: string | null;
  subject: string | null;
  what: string;
  who: string;
};

/** the calls behind some dollars, the dearest first */
export type CostCalls = {
  calls: {
    agent: string | null;
    /** the same as micro_usd, or the part that item or basis asks for */
    amount_micro_usd: number | null;
    call: string;
    /** what is known of it */
    known_part_micro_usd: number;
    /** none: not known */
    micro_usd: number | null;
    outcome: string | null;
    /** why it is not known */
    reason: string | null;
    site: string | null;
    started_at?: string;
    system: string | null;
    talk_ms: number | null;
  }[];
  /** `cursor` of the next page; none: this is the last */
  next: string | null;
  period: Record<string, unknown>;
};

/** what calls may cost: at 80 % somebody is told, then new calls hear the fallback */
export type CostCap = {
  /** its etag: send it as If-Match */
  version: string;
  /** null: all together */
  agent: string | null;
  /** each call */
  call_micro_usd: number | null;
  /** each day of the agent's clock; UTC for all */
  day_micro_usd: number | null;
  looked_at: string | null;
  set_at: string | null;
  /** null: the agent's file says it */
  set_by: string | null;
  /** today */
  spent_micro_usd: number | null;
  state: "ok" | "near" | "over" | null;
  /** of today, whose cost is not all known */
  unknown_calls: number | null;
  /** the day is over */
  until: string | null;
};

export type CostCapSet = {
  /** the etag of this one */
  version: string;
  /** as they are now */
  caps: CostCap[];
  /** false: it was so already */
  changed: boolean;
  /** nothing was written */
  dry_run: boolean | null;
  next_call: string;
  /** what one should know */
  said: string[];
  /** what was set here; null: nothing */
  was: {
    call_micro_usd: number | null;
    day_micro_usd: number | null;
    set_by: string | null;
  } | null;
};

/** a minute, a call, a booking on either system, over the same mix of calls */
export type CostCompared = {
  agent: string;
  calls: Record<string, unknown>;
  changed: number | null;
  measures: Record<string, unknown>;
  period: Record<string, unknown>;
};

/** what OpenAI saves against Vapi; below 0 it costs more */
export type CostSavings = {
  agent: string | null;
  agents: {
    agent: string;
    at_all: {
      calls: number;
      high_micro_usd: number | null;
      /** calls whose cost is not known */
      left_out: number | null;
      low_micro_usd: number | null;
      /** null: not known, and reason says why */
      micro_usd: number | null;
      reason: string | null;
    };
    /** of its calls that were on OpenAI */
    share: number;
    so_far: {
      calls: number;
      high_micro_usd: number | null;
      /** calls whose cost is not known */
      left_out: number | null;
      low_micro_usd: number | null;
      /** null: not known, and reason says why */
      micro_usd: number | null;
      reason: string | null;
    };
  }[];
  /** in 30 days, if OpenAI had all calls */
  at_all: {
    calls: number;
    high_micro_usd: number | null;
    /** calls whose cost is not known */
    left_out: number | null;
    low_micro_usd: number | null;
    /** null: not known, and reason says why */
    micro_usd: number | null;
    reason: string | null;
  };
  period: Record<string, unknown>;
  /** in that time */
  so_far: {
    calls: number;
    high_micro_usd: number | null;
    /** calls whose cost is not known */
    left_out: number | null;
    low_micro_usd: number | null;
    /** null: not known, and reason says why */
    micro_usd: number | null;
    reason: string | null;
  };
  zone: string;
};

/** what some time cost */
export type Costs = {
  agent: string | null;
  by: string | null;
  groups: (Record<string, unknown>)[];
  /** each month, beside all of this */
  hosting_month_micro_usd: number | null;
  period: Record<string, unknown>;
  site: string | null;
  system: string | null;
  total: Record<string, unknown>;
  /** of the calls whose cost is known */
  usd: string;
  zone: string;
};

/** who calls */
export type Customer = {
  name: string | null;
  agent: string;
  created_at: string;
  email: string | null;
  /** vip, and what was imported; not for who may see nothing personal */
  facts?: Record<string, unknown>;
  id: string;
  notes: string | null;
  number: string | null;
  updated_at: string;
};

/** the same with their visits, the last first */
export type CustomerWithVisits = {
  name: string | null;
  agent: string;
  created_at: string;
  email: string | null;
  /** vip, and what was imported; not for who may see nothing personal */
  facts?: Record<string, unknown>;
  id: string;
  notes: string | null;
  number: string | null;
  updated_at: string;
  visits?: Appointment[];
};

export type Draining = {
  asked: string;
  node: string;
};

/** a rule matched, or the model reported */
export type Emergency = {
  agent: string | null;
  /** confirmed by this API, which may be taken back */
  at_desk: boolean;
  call: string;
  from: string | null;
  handled_at: string | null;
  handled_by: string | null;
  matched_at: string;
  /** a confirmation was taken back then */
  reopened_at: string | null;
  rule: string;
  /** until somebody took it */
  seconds: number | null;
  severity: string | null;
  source: "rule" | "model" | "provider";
  /** recorded: not about life, and nobody was told */
  state: "open" | "recorded" | "handled" | "abandoned";
  steps: {
    at: string;
    detail: string | null;
    kind: string;
    state: string;
    step: number;
    target: string | null;
  }[];
  to: string | null;
  /** what the caller said */
  words: string | null;
};

export type EmergencyConfirmed = {
  /** false: somebody had taken it before */
  changed: boolean;
  handled_at: string;
  handled_by: string;
  next_call: string;
};

export type EmergencyReopened = {
  /** false: nobody had taken it */
  changed: boolean;
  next_call: string;
  state: "open" | "recorded" | "handled" | "abandoned";
};

/** one fact, as docs/records.md has it */
export type Event = {
  type: string;
  at: string;
  body: Record<string, unknown>;
  epoch: string;
  seq: string;
};

/** the force switch: every new call to one system */
export type Force = {
  version?: number;
  /** of a dry run: whose next call would go elsewhere */
  agents?: {
    after?: string;
    agent?: string;
    now?: string;
  }[];
  at: string | null;
  /** nothing was written: this is what would be */
  dry_run: boolean | null;
  next_call: string;
  notes?: string[];
  only_here?: boolean;
  /** as a person typed it */
  reason: string | null;
  system: "openai" | "vapi" | "off";
  /** of a dry run: what it is */
  was: {
    version?: number;
    at: string | null;
    /** as a person typed it */
    reason: string | null;
    system?: "openai" | "vapi" | "off";
    who: string | null;
  } | null;
  who: string | null;
};

/** events behind `after`, for those who cannot hold a stream */
export type Happened = {
  items: {
    /** as docs/records.md has it */
    event: Record<string, unknown>;
    id: number;
  }[];
  /** what was between `after` and these is not here any more */
  missed: boolean;
  /** there is more already */
  more: boolean;
  /** ask again with this as `after` */
  next: number;
};

export type Imported = {
  changed: number;
  dry_run: boolean;
  /** the first 500 */
  errors: {
    line: number;
    why: string;
  }[];
  new: number;
  next_call: string;
  rows: number;
  same: number;
  wrong: number;
};

/** what goes on after the request that began it */
export type Job = {
  /** what was asked for */
  about: Record<string, unknown>;
  ended_at: string | null;
  job: string;
  /** numbers */
  kind: string;
  /** the last that it told */
  lines?: (Record<string, unknown>)[];
  made_at: string;
  progress: string | null;
  result: Record<string, unknown> | null;
  /** lost: its node ended meanwhile, and nobody goes on with it by itself */
  state: "waiting" | "running" | "done" | "failed" | "lost";
  /** when it was heard of last */
  told_at: string;
  who: string;
  /** why it failed */
  why: string | null;
};

export type LiveCall = {
  agent: string | null;
  call: string;
  from: string | null;
  seconds: number;
  state: string;
  system: string;
  to: string | null;
};

export type LiveCalls = {
  /** on other nodes, as they told last; null: not known, and elsewhere_reason says why */
  elsewhere: Call[] | null;
  elsewhere_reason: string | null;
  items: LiveCall[];
};

/** calls in progress: emergencies first, then the longest */
export type LiveScreen = {
  /** the node's clock */
  at_unix_ms: number | null;
  /** how many there are */
  calls: number;
  /** the database is away: calls of other nodes, words and emergencies are not known */
  elsewhere_reason: string | null;
  items: {
    version: string | null;
    agent: string | null;
    call: string;
    /** the one that matters most */
    emergency: {
      rule: string;
      severity: string | null;
      since: string | null;
      /** open: nobody has it yet; handled, abandoned */
      state: string;
    } | null;
    from: string | null;
    /** on the node that answers: it can be acted on by it */
    here: boolean;
    last_words: {
      at: string | null;
      role: string;
      text: string | null;
      turn: number | null;
    } | null;
    node: string | null;
    seconds: number;
    started_at: string | null;
    /** connecting, live, leaving, closing */
    state: string;
    /** who has the caller now */
    system: string | null;
    to: string | null;
  }[];
  /** that are not in `items` */
  left_out: number;
  /** `cursor` of those behind; none: these are the last */
  next: string | null;
};

export type Me = {
  /** null: all */
  agents: string[] | null;
  /** calls in this database are made up: say so on every page */
  demo: boolean;
  /** null: never */
  expires_unix: number | null;
  /** numbers, names and words are hidden */
  masked: boolean;
  role: "viewer" | "operator" | "admin";
  /** as the audit has it */
  who: string;
};

/** what sounded like an emergency, and was not acted on */
export type NearMiss = {
  agent: string | null;
  at: string;
  call: string;
  from: string | null;
  rule: string;
  /** what to put into the agent's spec, so that it stays so */
  spec: {
    /** Lua, to copy */
    was?: string;
    /** Lua, to copy */
    was_not?: string;
  } | null;
  /** a person's */
  verdict: "was" | "was_not" | null;
  why: "unless" | "negated" | "unclear" | "model";
  /** what the caller said */
  words: string | null;
};

export type NearMissMarked = {
  changed: boolean;
  next_call: string;
  verdict: "was" | "was_not" | "none";
};

export type Node = {
  version: string | null;
  agents: string | null;
  calls: number | null;
  host: string | null;
  leader: boolean;
  /** calls that it left behind */
  left_open: number | null;
  node: string;
  pid: number | null;
  process: number;
  seen_at: string | null;
  seen_s: number | null;
  started_at: string | null;
  state: "live" | "draining" | "stopped" | "lost";
};

export type Nodes = {
  items: Node[];
};

/** a phone number of the account */
export type Number = {
  /** its etag: send it as If-Match */
  version: string;
  /** as the carrier calls it */
  name: string | null;
  /** who answers it */
  agent: string | null;
  /** by an operator; else by the agent's file */
  assigned: boolean;
  carrier_id: string | null;
  compared_at: string | null;
  /** how it differs from what we made of it */
  drift: {
    name?: string;
    found?: string;
    wanted?: string;
  }[] | null;
  /** the carrier's twelve */
  fields?: Record<string, unknown>;
  /** where the carrier sends its calls */
  goes_to: "ringdown" | "vapi" | "elsewhere" | "nobody" | "unknown";
  /** the account has it no more */
  gone_at: string | null;
  nobody_because: string | null;
  number: string;
  seen_at: string | null;
  set_at: string | null;
  set_by: string | null;
  site: string | null;
  /** where we made it go */
  target: "ringdown" | "vapi" | "elsewhere" | "nobody" | "unknown" | null;
  texts_to: "ringdown" | "vapi" | "elsewhere" | "nobody" | "unknown" | null;
  vapi_assistant: string | null;
  vapi_id: string | null;
  vapi_seen_at: string | null;
};

/** a change of one number or of a thousand */
export type NumberRun = {
  action: "switch" | "restore";
  /** how many numbers are in which step */
  counts?: Record<string, number>;
  ended_at: string | null;
  goes_to: string | null;
  options?: Record<string, unknown>;
  reason: string | null;
  run: string;
  started_at: string | null;
  state: "running" | "stopped" | "done";
  who?: string;
};

/** the same; of a long one, the numbers that are not as wished */
export type NumberRunWithItems = {
  action: "switch" | "restore";
  /** how many numbers are in which step */
  counts?: Record<string, number>;
  ended_at: string | null;
  goes_to: string | null;
  items?: {
    goes_to?: string;
    number?: string;
    state?: string;
    updated_at: string | null;
    why: string | null;
  }[];
  options?: Record<string, unknown>;
  reason: string | null;
  run: string;
  started_at: string | null;
  state: "running" | "stopped" | "done";
  who?: string;
};

/** a phone number, and how it was before each change */
export type NumberWithPast = {
  /** its etag: send it as If-Match */
  version: string;
  /** as the carrier calls it */
  name: string | null;
  /** who answers it */
  agent: string | null;
  /** by an operator; else by the agent's file */
  assigned: boolean;
  carrier_id: string | null;
  compared_at: string | null;
  /** how it differs from what we made of it */
  drift: {
    name?: string;
    found?: string;
    wanted?: string;
  }[] | null;
  /** the carrier's twelve */
  fields?: Record<string, unknown>;
  /** where the carrier sends its calls */
  goes_to: "ringdown" | "vapi" | "elsewhere" | "nobody" | "unknown";
  /** the account has it no more */
  gone_at: string | null;
  nobody_because: string | null;
  number: string;
  seen_at: string | null;
  set_at: string | null;
  set_by: string | null;
  site: string | null;
  snapshots?: (Record<string, unknown>)[];
  /** where we made it go */
  target: "ringdown" | "vapi" | "elsewhere" | "nobody" | "unknown" | null;
  texts_to: "ringdown" | "vapi" | "elsewhere" | "nobody" | "unknown" | null;
  vapi_assistant: string | null;
  vapi_id: string | null;
  vapi_seen_at: string | null;
};

/** it was begun; the job tells how far it is */
export type NumbersBegun = {
  job: string;
  next_call: string;
};

export type NumbersImported = {
  assigned: number;
  dry_run: boolean;
  /** what is wrong, each with its line */
  lines?: string[];
  next_call: string;
  same: number;
  wrong: number;
};

/** somebody who asked not to be texted */
export type OptOut = {
  /** of the number, keyed: the number itself is not kept */
  hash: string;
  opted_in_at: string | null;
  opted_out_at: string;
  /** our number that they answered; *: all of ours */
  sender: string;
  source: "stop" | "operator" | "import" | "carrier";
  /** in: they may be texted again */
  state: "out" | "in";
};

/** of one number, by sender */
export type OptOuts = {
  items: OptOut[];
  next_text: string;
};

/** RFC 9457, with `fix`: what to do */
export type Problem = {
  title: string;
  type: string;
  detail?: string;
  errors?: {
    at: string;
    message: string;
  }[];
  fix?: string;
  status: number;
};

export type Published = {
  /** which was current; publishing it again is the way back */
  before: string | null;
  /** of a dry run: it would be */
  changed: boolean;
  diff?: AgentsDiff;
  /** nothing was written */
  dry_run: boolean | null;
  /** what happens to the next call */
  next_call: string;
  /** of a dry run: the one that stays current, 0: none */
  release: string;
};

/** a price */
export type Rate = {
  /** micro-dollars for a million units */
  micro_usd_per_million: number;
  model: string;
  /** it holds now */
  now: boolean | null;
  /** minute, segment, month, or 1M tokens */
  per: string;
  source: string | null;
  unit: string;
  /** dollars for one `per` */
  usd: string;
  valid_from?: string;
  valid_to: string | null;
  what: "openai" | "twilio_voice" | "twilio_stream" | "twilio_dial" | "sms" | "hosting";
};

/** a job reckons calls anew */
export type RateBegun = {
  job: string;
  next_call: string;
};

export type RateSet = {
  /** of the prices of this: its etag */
  version: string;
  /** of a dry run with `recost`: how many calls would be reckoned anew; 100000: so many or more */
  calls: number | null;
  /** nothing was written: this is what would be */
  dry_run: boolean | null;
  next_call: string;
  rate: Rate;
  /** the price that held then; null: none did */
  was: {
    /** micro-dollars for a million units */
    micro_usd_per_million: number;
    model: string;
    /** it holds now */
    now: boolean | null;
    /** minute, segment, month, or 1M tokens */
    per: string;
    source: string | null;
    unit: string;
    /** dollars for one `per` */
    usd: string;
    valid_from?: string;
    valid_to: string | null;
    what: "openai" | "twilio_voice" | "twilio_stream" | "twilio_dial" | "sms" | "hosting";
  } | null;
};

export type Recording = {
  at: string | null;
  bytes: number | null;
  due_at: string | null;
  duration_ms: number | null;
  gone_at: string | null;
  /** the node that answers can play it */
  here: boolean;
  /** on whose disk */
  node: string;
  /** from 1: a call that went on elsewhere has more */
  number: number;
  state: "kept" | "cut" | "failed";
  why: string | null;
};

export type Recordings = {
  items: Recording[];
};

export type Release = {
  /** name and version of each */
  agents: Record<string, string>;
  at: string;
  current: boolean;
  id: string;
  note: string | null;
  published_by: string;
  /** the release whose files these are */
  restores: string | null;
  tree: string;
};

/** where an agent's calls go */
export type Rollout = {
  /** its etag: send it as If-Match */
  version: number;
  agent: string;
  auto_advance: boolean | null;
  held_for: string | null;
  kill?: boolean;
  mode?: string;
  /** numbers that always meet OpenAI */
  n_allow?: number;
  /** numbers that always meet Vapi */
  n_deny?: number;
  /** what happens to the next call */
  next_call: string;
  /** callers that meet OpenAI */
  percent: string;
  percent_bp: number;
  /** as a person typed it */
  reason: string | null;
  salt?: string;
  schedule: Record<string, unknown> | null;
  since: string | null;
  stage: string | null;
  state: "draft" | "pilot" | "running" | "paused" | "rolled_back" | "killed" | "done";
  /** the stages */
  track: {
    name: string;
    bake_s: number | null;
    is: "past" | "now" | "next";
    min_baseline: number | null;
    min_canary: number | null;
    percent: string;
    percent_bp: number;
  }[];
  unit?: string;
  updated_at: string | null;
  updated_by: string | null;
};

export type RolloutChanged = {
  /** none: it was written on this machine alone */
  version: number | null;
  agent: string;
  /** nothing was written: this is what would be */
  dry_run: boolean | null;
  /** of a dry run: its agent's calls */
  forced: "openai" | "vapi" | "off" | null;
  moves?: RolloutMoves;
  next_call: string;
  notes?: string[];
  /** the database is away: this node alone does so, until it is back */
  only_here?: boolean;
  percent_bp: number | null;
  said?: string[];
  stage: string | null;
  state: string | null;
  /** of a dry run: what it is */
  was: {
    version?: number;
    forced?: "openai" | "vapi" | "off";
    next_call: string | null;
    percent_bp?: number;
    stage: string | null;
    state?: string;
  } | null;
};

/** callers that would change sides */
export type RolloutMoves = {
  callers: number;
  /** of the callers of so many days */
  days: number;
  from?: string;
  from_bp?: number;
  n_to_openai: number;
  n_to_vapi: number;
  to?: string;
  to_bp?: number;
  /** 200 of them at most */
  to_openai?: string[];
  to_vapi?: string[];
};

export type RolloutPast = {
  items: {
    after: Record<string, unknown> | null;
    at: string | null;
    before: Record<string, unknown> | null;
    id?: string;
    what?: string;
    who?: string;
  }[];
};

/** callers that would change sides; nothing is changed */
export type RolloutPreview = {
  callers?: number;
  days?: number;
  from?: string;
  from_bp?: number;
  n_to_openai?: number;
  n_to_vapi?: number;
  next_call: string;
  to?: string;
  to_bp?: number;
  to_openai?: string[];
  to_vapi?: string[];
};

/** the same, with what its guards say and what they say it by */
export type RolloutWithGuards = {
  /** its etag: send it as If-Match */
  version: number;
  agent: string;
  allow?: string[];
  auto_advance: boolean | null;
  /** how long it was watched in this stage */
  baked_s: number | null;
  deny?: string[];
  evidence: Record<string, unknown> | null;
  /** the agent's file begins with another share */
  file: string | null;
  findings?: {
    guard?: string;
    numbers: Record<string, unknown> | null;
    text?: string;
    verdict?: string;
  }[];
  has_both: boolean;
  held_for: string | null;
  kill?: boolean;
  last_look: Record<string, unknown> | null;
  loads: boolean;
  mode?: string;
  /** numbers that always meet OpenAI */
  n_allow?: number;
  /** numbers that always meet Vapi */
  n_deny?: number;
  /** what happens to the next call */
  next_call: string;
  /** callers that meet OpenAI */
  percent: string;
  percent_bp: number;
  /** as a person typed it */
  reason: string | null;
  /** the same for people */
  said?: string[];
  salt?: string;
  schedule: Record<string, unknown> | null;
  since: string | null;
  stage: string | null;
  state: "draft" | "pilot" | "running" | "paused" | "rolled_back" | "killed" | "done";
  /** the stages */
  track: {
    name: string;
    bake_s: number | null;
    is: "past" | "now" | "next";
    min_baseline: number | null;
    min_canary: number | null;
    percent: string;
    percent_bp: number;
  }[];
  unit?: string;
  updated_at: string | null;
  updated_by: string | null;
  verdict: string | null;
};

/** of the console; its token is told here only */
export type Session = {
  /** null: all */
  agents: string[] | null;
  /** twelve hours from now at the latest */
  expires_unix: number;
  /** numbers, names and words are hidden */
  masked: boolean;
  role: "viewer" | "operator" | "admin";
  token: string;
  /** as the audit has it */
  who: string;
};

export type Silence = {
  ended_at: string | null;
  ended_by: string | null;
  from_at: string | null;
  id: string;
  labels: Record<string, string>;
  reason: string | null;
  until_at: string | null;
  who: string;
};

export type Silences = {
  items: Silence[];
};

/** a place that an agent answers for */
export type Site = {
  /** its etag: send it as If-Match */
  version: string;
  name: string | null;
  agent: string;
  facts: Record<string, unknown> | null;
  hours: Record<string, unknown> | null;
  numbers: string[];
  people: Record<string, unknown> | null;
  prices: Record<string, unknown> | null;
  resources: string[] | null;
  site: string;
  time_zone: string | null;
  updated_at: string | null;
};

export type SiteWritten = {
  version: string;
  agent: string;
  is: "new" | "changed" | "same";
  next_call: string;
  site: string;
};

/** calls of some time, and what became of them */
export type Statistics = {
  agent: string | null;
  /** what is not counted yet */
  behind: Record<string, unknown> | null;
  by: string | null;
  /** without `by`: codes of errors, of the newest 500 calls that had any */
  errors: {
    /** one that shows it */
    call: string;
    code: string;
    n: number;
  }[] | null;
  /** each with its filter for the list of calls */
  groups: (Record<string, unknown>)[];
  /** a percentile is this much off at most */
  percentile_error: number;
  /** what time that was */
  period: Record<string, unknown>;
  site: string | null;
  system: string | null;
  /** unless a site is asked for, also `model`: tokens, those that came from the cache, and their share */
  total: Record<string, unknown>;
  /** whose days these are: the agent's, else UTC */
  zone: string;
};

/** a text, in or out */
export type Text = {
  agent: string | null;
  body: string | null;
  call: string | null;
  created_at: string;
  direction: "in" | "out";
  due_at: string | null;
  /** the carrier's, or why we did not send it */
  error_code: string | null;
  id: string;
  /** what it was for: tool, missed, reply, emergency */
  kind: string | null;
  /** the other one's */
  number: string | null;
  /** our number */
  ours: string | null;
  segments: number | null;
  /** the carrier's word; scheduled until due_at */
  status: string | null;
  template: string | null;
  /** to one of the agent's people */
  to_people: boolean;
  updated_at: string;
};

export type Ticket = {
  expires_s: number;
  purpose: string;
  ticket: string;
};

/** one day, by the clock at each site; what is not known is null */
export type Today = {
  /** Friday, November 27 */
  name: string;
  agent: string | null;
  answered: number;
  before: {
    answered: number;
    bookings: number;
    by_now: {
      answered: number;
      bookings: number;
      calls: number;
      emergencies: number;
      /** null: not known */
      micro_usd: number | null;
      missed: number;
      unknown_calls: number;
      until: string;
    } | null;
    calls: number;
    day: string;
    emergencies: number;
    /** null: not known */
    micro_usd: number | null;
    missed: number;
    unknown_calls: number;
  } | null;
  /** what is not counted yet */
  behind: Record<string, unknown> | null;
  bookings: number;
  calls: number;
  cost: {
    known_calls: number;
    /** null: not known */
    micro_usd: number | null;
    unknown_calls: number;
  };
  day: string;
  emergencies: {
    abandoned: number;
    all: number;
    confirmed: number;
    /** 20 at most */
    items: {
      call: string;
      matched_at: string;
      rule: string;
      /** until somebody took it */
      seconds: number | null;
      severity: string | null;
      state: string;
    }[];
    open: number;
    slowest_s: number | null;
  };
  failed: number;
  fallback: number;
  missed: number;
  missed_texted: number;
  /** texts that wait until they may go out */
  missed_waiting: number;
  /** what the same calls would cost if Vapi had all of them */
  on_vapi: {
    /** that were on OpenAI */
    calls: number;
    /** null: not known */
    half_micro_usd: number | null;
    /** null: not known */
    high_micro_usd: number | null;
    /** null: not known */
    low_micro_usd: number | null;
    /** null: not known */
    micro_usd: number | null;
    /** of these */
    minutes: number;
    /** by so many calls that Vapi had */
    n: number | null;
    /** why it is not known */
    reason: string | null;
    /** null: not known */
    saved_micro_usd: number | null;
  };
  /** the sentence in its parts */
  parts: {
    name: "answered" | "missed" | "fallback" | "bookings" | "emergencies" | "cost" | "vapi";
    /** the list of its calls */
    opens: {
      /** a path of this API */
      list: string;
      query: Record<string, unknown>;
    } | null;
    text: string;
  }[];
  /** all of it, for people */
  sentence: string;
  site: string | null;
  /** the day is not over */
  so_far: boolean;
  /** whose clock says which day is today */
  zone: string;
  zone_note: string | null;
};

/** a token; its secret is told once, when it is made */
export type Token = {
  name: string;
  /** null: all */
  agents: string[] | null;
  /** null: never */
  expires_at: string | null;
  id: string;
  /** to ten minutes */
  last_used_at: string | null;
  made_at: string;
  made_by: string;
  revoked_at: string | null;
  role: "viewer" | "operator" | "admin";
  /** a viewer who sees numbers, names and words */
  sees_personal: boolean;
  /** of the console: made by logging in */
  session: boolean;
  state: "good" | "expired" | "revoked";
  /** the secret; only in the answer to its making */
  token?: string;
};

export type ToolCall = {
  name: string | null;
  answered_at: string | null;
  arguments: string | null;
  asked_at: string | null;
  id: string;
  ms: number | null;
  output: string | null;
};

export type ToolCalls = {
  items: ToolCall[];
};

export type Turn = {
  at: string;
  /** when the caller stopped speaking; null, as the next ones: this turn answers nobody */
  caller_stopped_at: string | null;
  /** to its first sound, as ringdown_turn_latency_seconds has it */
  first_audio_ms: number | null;
  /** from then to its first words */
  first_text_ms: number | null;
  /** of the agent: what the caller heard */
  heard: string;
  interrupted: boolean;
  role: "caller" | "agent";
  /** when that was more */
  said: string | null;
  /** of that, while tools ran */
  tool_ms: number | null;
  /** its number in the conversation */
  turn: number | null;
  /** before_notice or paused: the words were not kept */
  withheld: string | null;
};

/** what a turn cost: the answers it took, those that only called tools too */
export type TurnCost = {
  answers: number;
  at: string | null;
  micro_usd_exact: number | null;
  models: (string | null)[];
  reason: string | null;
  /** agent: answers of the model; caller: transcription */
  role: "caller" | "agent";
  /** its number in the conversation; null: nothing came of it */
  turn: number | null;
  /** tokens by kind, without those in *_cached; minutes */
  units: Record<string, number>;
  usd: string | null;
};

/** the last change, which may be taken back */
export type Undoable = {
  version: number;
  agent: string | null;
  at: string | null;
  kind: "rollout" | "force";
  /** as a person typed it */
  reason: string | null;
  said?: string[];
  who: string | null;
};

export type Undone = {
  version?: number;
  agent: string | null;
  /** nothing was written: this is what would be */
  dry_run: boolean | null;
  /** of a dry run: its agent's calls */
  forced: "openai" | "vapi" | "off" | null;
  kind?: string;
  moves?: RolloutMoves;
  next_call: string;
  percent_bp: number | null;
  stage: string | null;
  state: string | null;
  system: string | null;
  /** of a dry run: what it is */
  was: {
    version?: number;
    forced: string | null;
    percent_bp: number | null;
    stage: string | null;
    state: string | null;
    system: string | null;
  } | null;
};

/** what a caller waited for, from when they stopped speaking */
export type Wait = {
  /** when the caller stopped speaking; null, as the next ones: this turn answers nobody */
  caller_stopped_at: string | null;
  epoch: string;
  /** to its first sound, as ringdown_turn_latency_seconds has it */
  first_audio_ms: number | null;
  /** from then to its first words */
  first_text_ms: number | null;
  interrupted: boolean;
  /** of the turn, as in the timeline */
  seq: string;
  /** of that, while tools ran */
  tool_ms: number | null;
  /** that were called before the first sound */
  tools: {
    name: string | null;
    /** it was called so long after the caller stopped */
    after_ms: number | null;
    id: string;
    /** it took so long; null: no answer is known */
    ms: number | null;
  }[];
  turn: number | null;
};

export interface Operations {
  /** ends a silence */
  "DELETE /alerts/silences/{id}": {
    path: {
      id: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: Silence;
  };
  /** nobody looks after it after all: it is told again */
  "DELETE /alerts/{id}/acknowledge": {
    path: {
      id: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: Alert;
  };
  /** what was set here is taken away; what the agent's file says holds */
  "DELETE /costs/caps/{agent}": {
    path: {
      agent: string;
    };
    query: {
      /** only tell what would be written */
      dry_run?: boolean;
    };
    body: undefined;
    answer: CostCapSet;
  };
  /** it was confirmed here by mistake: it is open again, and people are asked anew */
  "DELETE /emergencies/{call}/{rule}/confirm": {
    path: {
      call: string;
      rule: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: EmergencyReopened;
  };
  /** takes back a drain: the node that answers takes new calls again. Not after its process was told to end */
  "DELETE /nodes/{node}/drain": {
    path: {
      node: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: Draining;
  };
  /** the agents' files say again who answers it */
  "DELETE /numbers/{number}/assignment": {
    path: {
      number: string;
    };
    query: {
      /** only tell what would be written */
      dry_run?: boolean;
    };
    body: undefined;
    answer: Assigned;
  };
  /** they may be texted again: only when they asked for it */
  "DELETE /opt-outs/{number}": {
    path: {
      number: string;
    };
    query: {
      /** our number that they answered; *: all of ours */
      sender?: string;
    };
    body: undefined;
    answer: OptOuts;
  };
  /** logs out: a session is revoked; a token that was made otherwise stays, ringdown tokens revoke ends it */
  "DELETE /session": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: {
      ended: boolean;
    };
  };
  /** revokes a token: its next request gets 401, its streams end within a minute */
  "DELETE /tokens/{id}": {
    path: {
      id: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: Token;
  };
  /** the agents of the node that answers */
  "GET /agents": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: Agents;
  };
  /** files that do not load, with what is wrong */
  "GET /agents/errors": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: AgentErrors;
  };
  /** releases of all agents' files, newest first */
  "GET /agents/releases": {
    path: Record<never, never>;
    query: {
      cursor?: string;
      /** at most so many */
      limit?: number;
    };
    body: undefined;
    answer: {
      items: Release[];
      /** `cursor` of the request for what comes next */
      next: string | null;
    };
  };
  /** what differs between two sets of files */
  "GET /agents/releases/diff": {
    path: Record<never, never>;
    query: {
      from: string;
      to: string;
    };
    body: undefined;
    answer: AgentsDiff;
  };
  /** one agent as people want to see it: prompt, tools, people, limits */
  "GET /agents/{agent}": {
    path: {
      agent: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: Record<string, unknown>;
  };
  /** the versions of an agent that took calls, newest first */
  "GET /agents/{agent}/versions": {
    path: {
      agent: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: AgentVersions;
  };
  /** what nodes raised, newest first */
  "GET /alarms": {
    path: Record<never, never>;
    query: {
      cursor?: string;
      kind?: string;
      /** at most so many */
      limit?: number;
      /** only those that go on, or that are over */
      open?: boolean;
      severity?: "warning" | "critical";
      since?: string;
      subject?: string;
    };
    body: undefined;
    answer: {
      items: Alarm[];
      /** `cursor` of the request for what comes next */
      next: string | null;
    };
  };
  /** what the rules found; without `state`, what is open; newest first */
  "GET /alerts": {
    path: Record<never, never>;
    query: {
      cursor?: string;
      /** at most so many */
      limit?: number;
      rule?: string;
      state?: "pending" | "firing" | "resolved" | "all";
    };
    body: undefined;
    answer: {
      items: Alert[];
      /** `cursor` of the request for what comes next */
      next: string | null;
    };
  };
  /** which rules there are, when they fire, and where it stands what to do */
  "GET /alerts/rules": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: AlertRules;
  };
  /** what nobody wants to hear now */
  "GET /alerts/silences": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: Silences;
  };
  /** one, and whom it was told */
  "GET /alerts/{id}": {
    path: {
      id: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: AlertWithNotices;
  };
  /** visits in the order they begin */
  "GET /appointments": {
    path: Record<never, never>;
    query: {
      agent?: string;
      cursor?: string;
      /** at most so many */
      limit?: number;
      /** the customer's */
      number?: string;
      resource?: string;
      /** begins not before */
      since?: string;
      site?: string;
      status?: "booked" | "cancelled";
      /** begins before */
      until?: string;
    };
    body: undefined;
    answer: {
      items: Appointment[];
      /** `cursor` of the request for what comes next */
      next: string | null;
    };
  };
  /** one of them */
  "GET /appointments/{id}": {
    path: {
      id: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: Appointment;
  };
  /** who changed what, newest first */
  "GET /audit": {
    path: Record<never, never>;
    query: {
      cursor?: string;
      /** at most so many */
      limit?: number;
      since?: string;
      subject?: string;
      /** before this moment */
      until?: string;
      /** like tokens.create, or tokens for all of these */
      what?: string;
      who?: string;
    };
    body: undefined;
    answer: {
      items: Change[];
      /** `cursor` of the request for what comes next */
      next: string | null;
    };
  };
  /** calls, newest first */
  "GET /calls": {
    path: Record<never, never>;
    query: {
      agent?: string;
      /** only calls in which a visit was booked */
      booked?: boolean;
      cursor?: string;
      /** only calls with an emergency, as `emergencies` counts */
      emergency?: boolean;
      /** only calls with errors */
      failed?: boolean;
      /** test: we called ourselves */
      kind?: "real" | "test" | "imported";
      /** at most so many */
      limit?: number;
      /** a day by the clock at each site */
      local_from?: string;
      /** before this day */
      local_to?: string;
      /** who called or was called */
      number?: string;
      /** why it ended, as in `outcome` */
      outcome?: string;
      /** how it came out, as statistics count it */
      result?: "answered" | "contained" | "transferred" | "not_taken" | "emergency" | "failed" | "fallback" | "missed";
      since?: string;
      site?: string;
      state?: "live" | "ended";
      system?: "openai" | "vapi" | "fallback";
      /** what was said: words, "a phrase", or, -without */
      text?: string;
      /** before this moment */
      until?: string;
    };
    body: undefined;
    answer: {
      items: Call[];
      /** `cursor` of the request for what comes next */
      next: string | null;
      /** not null: a search for words that takes long came back to this moment, and `items` may be few or none; `next` goes on from there */
      searched_to: string | null;
    };
  };
  /** calls in progress: those of the node that answers, and what the others told last */
  "GET /calls/live": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: LiveCalls;
  };
  /** one call */
  "GET /calls/{call}": {
    path: {
      call: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: CallWithWaits;
  };
  /** what it costs, line by line */
  "GET /calls/{call}/cost": {
    path: {
      call: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: CallCost;
  };
  /** the sound, left the caller, right the agent (WAV, µ-law, 8 kHz); whole, or the piece that Range asks for. Who hears it is in the audit; not for viewers who see nothing personal */
  "GET /calls/{call}/recording/audio": {
    path: {
      call: string;
    };
    query: {
      /** which of its recordings */
      number?: number;
    };
    body: undefined;
    answer: string;
  };
  /** its recordings: where they lie and until when */
  "GET /calls/{call}/recordings": {
    path: {
      call: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: Recordings;
  };
  /** every fact of a call, in order */
  "GET /calls/{call}/timeline": {
    path: {
      call: string;
    };
    query: {
      cursor?: string;
      /** at most so many */
      limit?: number;
    };
    body: undefined;
    answer: {
      items: Event[];
      /** `cursor` of the request for what comes next */
      next: string | null;
    };
  };
  /** what the agent asked of tools */
  "GET /calls/{call}/tools": {
    path: {
      call: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: ToolCalls;
  };
  /** what was said, as it was heard */
  "GET /calls/{call}/transcript": {
    path: {
      call: string;
    };
    query: {
      cursor?: string;
      /** at most so many */
      limit?: number;
    };
    body: undefined;
    answer: {
      items: Turn[];
      /** `cursor` of the request for what comes next */
      next: string | null;
    };
  };
  /** all that explains a call, as `ringdown why` tells it */
  "GET /calls/{call}/why": {
    path: {
      call: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: Record<string, unknown>;
  };
  /** what some time cost: the model, the carrier, texts, hosting, and how that is known */
  "GET /costs": {
    path: Record<never, never>;
    query: {
      agent?: string;
      by?: "hour" | "weekday" | "day" | "site" | "reason" | "agent" | "system" | "outcome";
      /** calls that Vapi had before we answered as well */
      imported?: boolean;
      /** 7d, 24h, or a day like 2026-11-02 */
      since?: string;
      site?: string;
      system?: "openai" | "vapi" | "fallback" | "none";
      /** calls of our own as well */
      tests?: boolean;
      /** the last day */
      until?: string;
    };
    body: undefined;
    answer: Costs;
  };
  /** the calls behind an aggregate, the dearest first: its `filter` is the query, and they add up to it */
  "GET /costs/calls": {
    path: Record<never, never>;
    query: {
      /** ?: no agent was found for it */
      agent?: string;
      /** what is known that way of each call */
      basis?: "billed" | "reported" | "estimated";
      /** only those that /costs/compare counts */
      compared?: boolean;
      cursor?: string;
      day?: string;
      /** of hours as they are counted */
      from?: string;
      /** of the day, by the clock at each site */
      hour?: number;
      /** calls that Vapi had before we answered as well */
      imported?: boolean;
      /** that part of each call */
      item?: "model" | "transcription" | "provider" | "carrier" | "stream" | "transfer" | "texts" | "hosting";
      /** at most so many */
      limit?: number;
      /** a day by the clock at each site */
      local_from?: string;
      /** before this day */
      local_to?: string;
      outcome?: string;
      /** as a group of /statistics?by=reason has it */
      reason?: string;
      /** 7d, 24h, or a day; 30d when no time is said */
      since?: string;
      site?: string;
      system?: "openai" | "vapi" | "fallback" | "none";
      /** calls of our own as well */
      tests?: boolean;
      to?: string;
      /** only those whose cost is (not) known */
      unknown?: boolean;
      /** the last day */
      until?: string;
      /** 1 is Monday */
      weekday?: number;
    };
    body: undefined;
    answer: CostCalls;
  };
  /** what calls may cost, and what is spent today */
  "GET /costs/caps": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: {
      items: CostCap[];
    };
  };
  /** one of them, also where nothing is set; `all`: all together */
  "GET /costs/caps/{agent}": {
    path: {
      agent: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: CostCap;
  };
  /** Vapi against OpenAI for one agent, with how many calls and how certain that is */
  "GET /costs/compare": {
    path: Record<never, never>;
    query: {
      agent: string;
      /** calls that Vapi had before we answered as well */
      imported?: boolean;
      /** 7d, 24h, or a day like 2026-11-02 */
      since?: string;
      /** the last day */
      until?: string;
    };
    body: undefined;
    answer: CostCompared;
  };
  /** prices, each with its days */
  "GET /costs/rates": {
    path: Record<never, never>;
    query: {
      what?: "openai" | "twilio_voice" | "twilio_stream" | "twilio_dial" | "sms" | "hosting";
    };
    body: undefined;
    answer: {
      items: Rate[];
    };
  };
  /** what OpenAI saved against Vapi, and what it would save each month if it had all calls */
  "GET /costs/savings": {
    path: Record<never, never>;
    query: {
      agent?: string;
      /** 7d, 24h, or a day like 2026-11-02 */
      since?: string;
      /** the last day */
      until?: string;
    };
    body: undefined;
    answer: CostSavings;
  };
  /** customers, the newest first */
  "GET /customers": {
    path: Record<never, never>;
    query: {
      agent?: string;
      cursor?: string;
      /** at most so many */
      limit?: number;
      /** a number, or how the words of a name begin */
      q?: string;
    };
    body: undefined;
    answer: {
      items: Customer[];
      /** `cursor` of the request for what comes next */
      next: string | null;
    };
  };
  /** one and their visits */
  "GET /customers/{id}": {
    path: {
      id: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: CustomerWithVisits;
  };
  /** emergencies, newest first */
  "GET /emergencies": {
    path: Record<never, never>;
    query: {
      agent?: string;
      cursor?: string;
      /** at most so many */
      limit?: number;
      severity?: string;
      since?: string;
      state?: "open" | "recorded" | "handled" | "abandoned";
    };
    body: undefined;
    answer: {
      items: Emergency[];
      /** `cursor` of the request for what comes next */
      next: string | null;
    };
  };
  /** what only sounded like an emergency, newest first */
  "GET /emergencies/near-misses": {
    path: Record<never, never>;
    query: {
      agent?: string;
      cursor?: string;
      /** at most so many */
      limit?: number;
      /** none: nobody has read it yet */
      verdict?: "was" | "was_not" | "none";
    };
    body: undefined;
    answer: {
      items: NearMiss[];
      /** `cursor` of the request for what comes next */
      next: string | null;
    };
  };
  /** one of them */
  "GET /emergencies/{call}/{rule}": {
    path: {
      call: string;
      rule: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: Emergency;
  };
  /** events as they happen (text/event-stream); Last-Event-ID or `after` goes on behind one. With wait_s one answer in JSON, once there is something or that time is over */
  "GET /events": {
    path: Record<never, never>;
    query: {
      /** the number of an event; absent: from now on */
      after?: number;
      /** no stream: wait so many seconds for something */
      wait_s?: number;
    };
    body: undefined;
    answer: Happened;
  };
  /** the force switch of all agents */
  "GET /force": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: Force;
  };
  /** what was begun and goes on by itself, newest first */
  "GET /jobs": {
    path: Record<never, never>;
    query: {
      cursor?: string;
      /** at most so many */
      limit?: number;
    };
    body: undefined;
    answer: {
      items: Job[];
      /** `cursor` of the request for what comes next */
      next: string | null;
    };
  };
  /** how far it is, and what it told */
  "GET /jobs/{id}": {
    path: {
      id: string;
    };
    query: {
      /** answer when it is over, or after so many seconds */
      wait_s?: number;
    };
    body: undefined;
    answer: Job;
  };
  /** calls in progress on all nodes, emergencies first, with the last words */
  "GET /live": {
    path: Record<never, never>;
    query: {
      cursor?: string;
      /** at most so many */
      limit?: number;
    };
    body: undefined;
    answer: LiveScreen;
  };
  /** whose token this is, and what it may */
  "GET /me": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: Me;
  };
  /** the processes of the last day, and which of them leads */
  "GET /nodes": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: Nodes;
  };
  /** numbers, with who answers them */
  "GET /numbers": {
    path: Record<never, never>;
    query: {
      agent?: string;
      cursor?: string;
      /** only those that are (not) as we made them */
      drift?: boolean;
      goes_to?: "ringdown" | "vapi" | "elsewhere" | "nobody" | "unknown";
      /** at most so many */
      limit?: number;
    };
    body: undefined;
    answer: {
      items: Number[];
      /** `cursor` of the request for what comes next */
      next: string | null;
    };
  };
  /** changes of numbers, newest first */
  "GET /numbers/runs": {
    path: Record<never, never>;
    query: {
      cursor?: string;
      /** at most so many */
      limit?: number;
    };
    body: undefined;
    answer: {
      items: NumberRun[];
      /** `cursor` of the request for what comes next */
      next: string | null;
    };
  };
  /** a change, number by number */
  "GET /numbers/runs/{id}": {
    path: {
      id: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: NumberRunWithItems;
  };
  /** one number and its past */
  "GET /numbers/{number}": {
    path: {
      number: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: NumberWithPast;
  };
  /** who must not be texted, the last first */
  "GET /opt-outs": {
    path: Record<never, never>;
    query: {
      cursor?: string;
      /** at most so many */
      limit?: number;
      /** whose */
      number?: string;
      state?: "out" | "in";
    };
    body: undefined;
    answer: {
      items: OptOut[];
      /** `cursor` of the request for what comes next */
      next: string | null;
    };
  };
  /** all rollouts, without their lists */
  "GET /rollouts": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: {
      items: Rollout[];
    };
  };
  /** one with its stages, its guards and their evidence */
  "GET /rollouts/{agent}": {
    path: {
      agent: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: RolloutWithGuards;
  };
  /** who changed it, and what was refused: the last hundred */
  "GET /rollouts/{agent}/history": {
    path: {
      agent: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: RolloutPast;
  };
  /** which callers would change sides */
  "GET /rollouts/{agent}/preview": {
    path: {
      agent: string;
    };
    query: {
      /** of the callers of so many days */
      days?: number;
      salt?: string;
      /** a stage, or a share like 12.5 */
      to?: string;
      unit?: "caller" | "call";
    };
    body: undefined;
    answer: RolloutPreview;
  };
  /** the places that agents answer for */
  "GET /sites": {
    path: Record<never, never>;
    query: {
      agent?: string;
      cursor?: string;
      /** at most so many */
      limit?: number;
    };
    body: undefined;
    answer: {
      items: Site[];
      /** `cursor` of the request for what comes next */
      next: string | null;
    };
  };
  /** one of them */
  "GET /sites/{agent}/{site}": {
    path: {
      agent: string;
      site: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: Site;
  };
  /** volume, outcomes, waits, tools, emergencies, bookings and cost of some time */
  "GET /statistics": {
    path: Record<never, never>;
    query: {
      agent?: string;
      by?: "hour" | "weekday" | "day" | "site" | "reason" | "agent" | "system" | "outcome";
      format?: "json" | "csv";
      /** calls that Vapi had before we answered as well */
      imported?: boolean;
      /** 7d, 24h, or a day like 2026-11-02 */
      since?: string;
      site?: string;
      system?: "openai" | "vapi" | "fallback" | "none";
      /** calls of our own as well */
      tests?: boolean;
      /** the last day */
      until?: string;
    };
    body: undefined;
    answer: Statistics;
  };
  /** the node that answers, on one screen */
  "GET /status": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: Record<string, unknown>;
  };
  /** conversations, the last text of each, newest first */
  "GET /texts": {
    path: Record<never, never>;
    query: {
      agent?: string;
      cursor?: string;
      /** at most so many */
      limit?: number;
    };
    body: undefined;
    answer: {
      items: Text[];
      /** `cursor` of the request for what comes next */
      next: string | null;
    };
  };
  /** one text and what became of it, by our id or the carrier's */
  "GET /texts/messages/{message}": {
    path: {
      message: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: Text;
  };
  /** all texts with one number, newest first */
  "GET /texts/{number}": {
    path: {
      number: string;
    };
    query: {
      agent?: string;
      cursor?: string;
      /** at most so many */
      limit?: number;
    };
    body: undefined;
    answer: {
      items: Text[];
      /** `cursor` of the request for what comes next */
      next: string | null;
    };
  };
  /** one day in one sentence, its numbers, and what opens the calls behind each */
  "GET /today": {
    path: Record<never, never>;
    query: {
      agent?: string;
      /** a day like 2026-11-27, today or yesterday */
      day?: string;
      site?: string;
    };
    body: undefined;
    answer: Today;
  };
  /** the tokens, newest first */
  "GET /tokens": {
    path: Record<never, never>;
    query: {
      /** expired and revoked ones too */
      all?: boolean;
      cursor?: string;
      /** at most so many */
      limit?: number;
    };
    body: undefined;
    answer: {
      items: Token[];
      /** `cursor` of the request for what comes next */
      next: string | null;
    };
  };
  /** one token */
  "GET /tokens/{id}": {
    path: {
      id: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: Token;
  };
  /** what would be taken back */
  "GET /undo": {
    path: Record<never, never>;
    query: {
      agent?: string;
    };
    body: undefined;
    answer: Undoable;
  };
  /** what is said is written, what is in `clear` is taken away; the next call of this customer knows it */
  "PATCH /customers/{id}": {
    path: {
      id: string;
    };
    query: Record<never, never>;
    body: {
      name?: string;
      clear?: ("name" | "email" | "notes")[];
      email?: string;
      notes?: string;
      vip?: boolean;
    };
    answer: CustomerWithVisits;
  };
  /** makes known files the current release: what a node loaded from its folder (publish), or an old release (restore). If-Match is the current release, "0" when there is none */
  "POST /agents/releases": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: {
      /** only tell what would differ from what is current */
      dry_run?: boolean;
      note?: string;
      which: string;
    };
    answer: Published;
  };
  /** nobody hears of alerts like these until then */
  "POST /alerts/silences": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: {
      /** from 1m to 30d, like "4h" */
      for: string;
      /** rule, severity, agent and others; * stands for anything */
      labels: Record<string, string>;
      reason: string;
    };
    answer: Silence;
  };
  /** somebody looks after it: it is not told again until it is over */
  "POST /alerts/{id}/acknowledge": {
    path: {
      id: string;
    };
    query: Record<never, never>;
    body: {
      note?: string;
    } | undefined;
    answer: Alert;
  };
  /** from a table: agent,site,resource,begins,minutes,number,name,service,notes,status,key; the same key is the same visit */
  "POST /appointments/import": {
    path: Record<never, never>;
    query: {
      /** only tell what would be done */
      dry_run?: boolean;
    };
    body: string;
    answer: Imported;
  };
  /** calls it off: its hour is free again. Nobody is told by itself */
  "POST /appointments/{id}/cancel": {
    path: {
      id: string;
    };
    query: Record<never, never>;
    body: {
      /** only tell what would be written */
      dry_run?: boolean;
    } | undefined;
    answer: AppointmentChanged;
  };
  /** to another hour, length or resource. Nobody is told by itself */
  "POST /appointments/{id}/move": {
    path: {
      id: string;
    };
    query: Record<never, never>;
    body: {
      begins?: string;
      /** only tell what would be written */
      dry_run?: boolean;
      /** how long; as before, unless it is said */
      minutes?: number;
      resource?: string;
    };
    answer: AppointmentChanged;
  };
  /** ends a call once what is being said was heard */
  "POST /calls/{call}/hang-up": {
    path: {
      call: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: Asked;
  };
  /** a person takes the caller; who does not answer gives them back to the agent */
  "POST /calls/{call}/transfer": {
    path: {
      call: string;
    };
    query: Record<never, never>;
    body: {
      to: string;
    };
    answer: Asked;
  };
  /** tells the model something the caller does not hear */
  "POST /calls/{call}/whisper": {
    path: {
      call: string;
    };
    query: Record<never, never>;
    body: {
      /** it answers at once */
      now?: boolean;
      text: string;
    };
    answer: Asked;
  };
  /** another price, from a day on; what was reckoned before keeps its own */
  "POST /costs/rates": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: {
      /** only tell what would be written; its etag is of the prices there are */
      dry_run?: boolean;
      /** a day (UTC); from now on, if left out */
      from?: string;
      model?: string;
      /** dollars like 0.0085: of tokens, for a million */
      price: string;
      /** it may begin in the past: calls since then are reckoned anew, by a job */
      recost?: boolean;
      /** where it stands */
      source?: string;
      unit: string;
      what: "openai" | "twilio_voice" | "twilio_stream" | "twilio_dial" | "sms" | "hosting";
    };
    answer: RateSet | RateBegun;
  };
  /** from a table: agent,number,name,email,notes,vip,fact.NAME; lines that are wrong are told, the others done */
  "POST /customers/import": {
    path: Record<never, never>;
    query: {
      /** only tell what would be done */
      dry_run?: boolean;
    };
    body: string;
    answer: Imported;
  };
  /** say that you have taken it */
  "POST /emergencies/{call}/{rule}/confirm": {
    path: {
      call: string;
      rule: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: EmergencyConfirmed;
  };
  /** the node that answers takes no new calls and keeps those it has, until this is taken back or it ends */
  "POST /nodes/{node}/drain": {
    path: {
      node: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: Draining;
  };
  /** compare all numbers with what we made of them */
  "POST /numbers/drift": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: NumbersBegun;
  };
  /** assignments from a table: number,agent,site; lines that are wrong are told, the others done */
  "POST /numbers/import": {
    path: Record<never, never>;
    query: {
      dry_run?: boolean;
    };
    body: string;
    answer: NumbersImported;
  };
  /** give numbers back as they were before our last change, or before we came */
  "POST /numbers/restore": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: {
      /** all numbers of this agent */
      agent?: string;
      all?: boolean;
      /** only tell what would change */
      dry_run?: boolean;
      /** as before we came */
      first?: boolean;
      /** then no more are changed; 10 unless said */
      max_failures?: number;
      numbers?: string[];
      pause_s?: number;
      reason?: string;
      /** what this run changed */
      run?: string;
      /** so many, then a pause */
      wave?: number;
    };
    answer: NumbersBegun;
  };
  /** go on with a change that was cut off */
  "POST /numbers/runs/{id}/resume": {
    path: {
      id: string;
    };
    query: Record<never, never>;
    body: undefined;
    answer: NumbersBegun;
  };
  /** send the calls of many to us, or to Vapi */
  "POST /numbers/switch": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: {
      /** all numbers of this agent */
      agent?: string;
      all?: boolean;
      /** only tell what would change */
      dry_run?: boolean;
      /** then no more are changed; 10 unless said */
      max_failures?: number;
      numbers?: string[];
      pause_s?: number;
      reason?: string;
      /** its texts too */
      texts?: boolean;
      to: "ringdown" | "vapi";
      /** so many, then a pause */
      wave?: number;
    };
    answer: NumbersBegun;
  };
  /** look at the account's numbers at Twilio and at Vapi */
  "POST /numbers/sync": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: NumbersBegun;
  };
  /** read numbers back, or call them and see who answers */
  "POST /numbers/verify": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: {
      /** all numbers of this agent */
      agent?: string;
      all?: boolean;
      call?: boolean;
      /** another number of the account */
      from?: string;
      numbers?: string[];
    };
    answer: NumbersBegun;
  };
  /** send its calls to us, or to Vapi */
  "POST /numbers/{number}/switch": {
    path: {
      number: string;
    };
    query: Record<never, never>;
    body: {
      /** only tell what would change */
      dry_run?: boolean;
      /** then no more are changed; 10 unless said */
      max_failures?: number;
      pause_s?: number;
      reason?: string;
      /** its texts too */
      texts?: boolean;
      to: "ringdown" | "vapi";
      /** so many, then a pause */
      wave?: number;
    };
    answer: NumbersBegun;
  };
  /** this number is not texted any more */
  "POST /opt-outs": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: {
      number: string;
      /** our number that they answered; *: all of ours */
      sender?: string;
    };
    answer: OptOuts;
  };
  /** the next stage */
  "POST /rollouts/{agent}/advance": {
    path: {
      agent: string;
    };
    query: Record<never, never>;
    body: {
      /** of a dry run: of the callers of so many days */
      days?: number;
      /** only tell what would be written, and who would change sides */
      dry_run?: boolean;
      /** although its guards, or a day's rest, say otherwise; needs a reason */
      force?: boolean;
      /** for the audit */
      reason?: string;
      /** a stage, or a share like 12.5 */
      to?: string;
    } | undefined;
    answer: RolloutChanged;
  };
  /** every new call of this agent to one system */
  "POST /rollouts/{agent}/force": {
    path: {
      agent: string;
    };
    query: Record<never, never>;
    body: {
      /** only tell what would be written, and whose calls would go elsewhere */
      dry_run?: boolean;
      /** for the audit */
      reason?: string;
      system: "openai" | "vapi" | "off";
      /** although nobody watches for emergencies about life on Vapi: who says so knows it */
      yes?: boolean;
    };
    answer: RolloutChanged;
  };
  /** no further */
  "POST /rollouts/{agent}/hold": {
    path: {
      agent: string;
    };
    query: Record<never, never>;
    body: {
      /** of a dry run: of the callers of so many days */
      days?: number;
      /** only tell what would be written, and who would change sides */
      dry_run?: boolean;
      /** for the audit */
      reason?: string;
    } | undefined;
    answer: RolloutChanged;
  };
  /** to a smaller share; to nobody, if none is named */
  "POST /rollouts/{agent}/rollback": {
    path: {
      agent: string;
    };
    query: Record<never, never>;
    body: {
      /** of a dry run: of the callers of so many days */
      days?: number;
      /** only tell what would be written, and who would change sides */
      dry_run?: boolean;
      /** for the audit */
      reason?: string;
      /** a stage, or a share like 12.5 */
      to?: string;
    } | undefined;
    answer: RolloutChanged;
  };
  /** begin it, or go on with one that is held */
  "POST /rollouts/{agent}/start": {
    path: {
      agent: string;
    };
    query: Record<never, never>;
    body: {
      /** of a dry run: of the callers of so many days */
      days?: number;
      /** only tell what would be written, and who would change sides */
      dry_run?: boolean;
      /** although its guards, or a day's rest, say otherwise; needs a reason */
      force?: boolean;
      /** for the audit */
      reason?: string;
    } | undefined;
    answer: RolloutChanged;
  };
  /** logs in to the console: by the ticket of a log-in link, once, or by a token, sent as one; what comes back ends by itself, and with the token */
  "POST /session": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: Session;
  };
  /** a ticket opens one stream once, within a minute, or one call's recording: for EventSource and <audio>, which cannot send a token; the pieces that a player asks for later come with it for 15 minutes */
  "POST /tickets": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: {
      /** whose recording */
      call?: string;
      purpose: "events" | "recording";
    };
    answer: Ticket;
  };
  /** makes a token; its secret is in this answer only */
  "POST /tokens": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: {
      /** what the audit calls it */
      name: string;
      /** only these; absent: all */
      agents?: string[];
      /** in whole days like "90d", or "never" */
      expires?: string;
      role: "viewer" | "operator" | "admin";
      /** a viewer sees numbers, names and words */
      sees_personal?: boolean;
    };
    answer: Token;
  };
  /** take the last change of a rollout or of the force switch back: the one that was shown, or none */
  "POST /undo": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: {
      version: number;
      /** of a rollout */
      agent?: string;
      /** of a dry run: of the callers of so many days */
      days?: number;
      /** only tell what would be written, and who would change sides */
      dry_run?: boolean;
      /** although its guards, or a day's rest, say otherwise; needs a reason */
      force?: boolean;
      kind: "rollout" | "force";
      /** for the audit */
      reason?: string;
    };
    answer: Undone;
  };
  /** what an agent's calls may cost, each day and each call; `all`: all together; before the agent's file. What is left out is not set any more: send both to keep both */
  "PUT /costs/caps/{agent}": {
    path: {
      agent: string;
    };
    query: {
      /** only tell what would be written */
      dry_run?: boolean;
    };
    body: {
      call_micro_usd?: number;
      day_micro_usd?: number;
    };
    answer: CostCapSet;
  };
  /** say whether it was one; none: take back what was said */
  "PUT /emergencies/near-misses/{call}/{rule}/{why}": {
    path: {
      call: string;
      rule: string;
      why: string;
    };
    query: Record<never, never>;
    body: {
      verdict: "was" | "was_not" | "none";
    };
    answer: NearMissMarked;
  };
  /** every new call of every agent that can to one system; for the worst moment */
  "PUT /force": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: {
      /** only tell what would be written, and whose calls would go elsewhere */
      dry_run?: boolean;
      /** for the audit */
      reason?: string;
      system: "openai" | "vapi" | "off";
      /** although nobody watches for emergencies about life on Vapi: who says so knows it */
      yes?: boolean;
    };
    answer: Force;
  };
  /** which agent answers it, at which of its sites */
  "PUT /numbers/{number}/assignment": {
    path: {
      number: string;
    };
    query: {
      /** only tell what would be written */
      dry_run?: boolean;
    };
    body: {
      agent: string;
      site?: string;
    };
    answer: Assigned;
  };
  /** write its plan: what is left out stays as it is */
  "PUT /rollouts/{agent}": {
    path: {
      agent: string;
    };
    query: Record<never, never>;
    body: {
      allow?: string[];
      auto_advance?: boolean;
      /** of a dry run: of the callers of so many days */
      days?: number;
      deny?: string[];
      /** only tell what would be written, and who would change sides */
      dry_run?: boolean;
      /** although its guards, or a day's rest, say otherwise; needs a reason */
      force?: boolean;
      /** for the audit */
      reason?: string;
      /** callers may change sides */
      reshuffle?: boolean;
      salt?: string;
      /** open, closed, none, or hours */
      schedule?: string;
      stages?: {
        name: string;
        bake_s?: number;
        min_baseline?: number;
        min_canary?: number;
        /** hundredths of a percent */
        percent_bp: number;
      }[];
      unit?: "caller" | "call";
    };
    answer: RolloutChanged;
  };
  /** write one whole: what is left out is gone. One that is there needs If-Match */
  "PUT /sites/{agent}/{site}": {
    path: {
      agent: string;
      site: string;
    };
    query: Record<never, never>;
    body: Record<string, unknown>;
    answer: SiteWritten;
  };
}

export type Operation = keyof Operations;

/** What one needs for it. all: a token of some agents only may not; once: takes Idempotency-Key. */
export const needs: Record<Operation, { role: string; all?: true; once?: true; type?: string }> = {
  "DELETE /alerts/silences/{id}": { role: "operator", all: true },
  "DELETE /alerts/{id}/acknowledge": { role: "operator" },
  "DELETE /costs/caps/{agent}": { role: "admin" },
  "DELETE /emergencies/{call}/{rule}/confirm": { role: "operator" },
  "DELETE /nodes/{node}/drain": { role: "admin", all: true },
  "DELETE /numbers/{number}/assignment": { role: "operator" },
  "DELETE /opt-outs/{number}": { role: "operator", all: true },
  "DELETE /session": { role: "viewer" },
  "DELETE /tokens/{id}": { role: "admin", all: true },
  "GET /agents": { role: "viewer" },
  "GET /agents/errors": { role: "viewer", all: true },
  "GET /agents/releases": { role: "viewer", all: true },
  "GET /agents/releases/diff": { role: "viewer", all: true },
  "GET /agents/{agent}": { role: "viewer" },
  "GET /agents/{agent}/versions": { role: "viewer" },
  "GET /alarms": { role: "viewer", all: true },
  "GET /alerts": { role: "viewer" },
  "GET /alerts/rules": { role: "viewer" },
  "GET /alerts/silences": { role: "viewer", all: true },
  "GET /alerts/{id}": { role: "viewer" },
  "GET /appointments": { role: "viewer" },
  "GET /appointments/{id}": { role: "viewer" },
  "GET /audit": { role: "operator", all: true },
  "GET /calls": { role: "viewer" },
  "GET /calls/live": { role: "viewer" },
  "GET /calls/{call}": { role: "viewer" },
  "GET /calls/{call}/cost": { role: "viewer" },
  "GET /calls/{call}/recording/audio": { role: "viewer" },
  "GET /calls/{call}/recordings": { role: "viewer" },
  "GET /calls/{call}/timeline": { role: "viewer" },
  "GET /calls/{call}/tools": { role: "viewer" },
  "GET /calls/{call}/transcript": { role: "viewer" },
  "GET /calls/{call}/why": { role: "viewer" },
  "GET /costs": { role: "viewer" },
  "GET /costs/calls": { role: "viewer" },
  "GET /costs/caps": { role: "viewer" },
  "GET /costs/caps/{agent}": { role: "viewer" },
  "GET /costs/compare": { role: "viewer" },
  "GET /costs/rates": { role: "viewer" },
  "GET /costs/savings": { role: "viewer" },
  "GET /customers": { role: "viewer" },
  "GET /customers/{id}": { role: "viewer" },
  "GET /emergencies": { role: "viewer" },
  "GET /emergencies/near-misses": { role: "viewer" },
  "GET /emergencies/{call}/{rule}": { role: "viewer" },
  "GET /events": { role: "viewer" },
  "GET /force": { role: "viewer" },
  "GET /jobs": { role: "operator" },
  "GET /jobs/{id}": { role: "operator" },
  "GET /live": { role: "viewer" },
  "GET /me": { role: "viewer" },
  "GET /nodes": { role: "viewer", all: true },
  "GET /numbers": { role: "viewer" },
  "GET /numbers/runs": { role: "viewer", all: true },
  "GET /numbers/runs/{id}": { role: "viewer", all: true },
  "GET /numbers/{number}": { role: "viewer" },
  "GET /opt-outs": { role: "viewer", all: true },
  "GET /rollouts": { role: "viewer" },
  "GET /rollouts/{agent}": { role: "viewer" },
  "GET /rollouts/{agent}/history": { role: "viewer" },
  "GET /rollouts/{agent}/preview": { role: "viewer" },
  "GET /sites": { role: "viewer" },
  "GET /sites/{agent}/{site}": { role: "viewer" },
  "GET /statistics": { role: "viewer" },
  "GET /status": { role: "viewer", all: true },
  "GET /texts": { role: "viewer" },
  "GET /texts/messages/{message}": { role: "viewer" },
  "GET /texts/{number}": { role: "viewer" },
  "GET /today": { role: "viewer" },
  "GET /tokens": { role: "admin", all: true },
  "GET /tokens/{id}": { role: "admin", all: true },
  "GET /undo": { role: "viewer" },
  "PATCH /customers/{id}": { role: "operator" },
  "POST /agents/releases": { role: "operator", all: true },
  "POST /alerts/silences": { role: "operator", all: true, once: true },
  "POST /alerts/{id}/acknowledge": { role: "operator" },
  "POST /appointments/import": { role: "operator", once: true, type: "text/csv" },
  "POST /appointments/{id}/cancel": { role: "operator", once: true },
  "POST /appointments/{id}/move": { role: "operator", once: true },
  "POST /calls/{call}/hang-up": { role: "operator" },
  "POST /calls/{call}/transfer": { role: "operator", once: true },
  "POST /calls/{call}/whisper": { role: "operator", once: true },
  "POST /costs/rates": { role: "admin", all: true, once: true },
  "POST /customers/import": { role: "operator", once: true, type: "text/csv" },
  "POST /emergencies/{call}/{rule}/confirm": { role: "operator" },
  "POST /nodes/{node}/drain": { role: "admin", all: true },
  "POST /numbers/drift": { role: "operator", all: true, once: true },
  "POST /numbers/import": { role: "operator", type: "text/csv" },
  "POST /numbers/restore": { role: "operator", once: true },
  "POST /numbers/runs/{id}/resume": { role: "operator", all: true, once: true },
  "POST /numbers/switch": { role: "operator", once: true },
  "POST /numbers/sync": { role: "operator", all: true, once: true },
  "POST /numbers/verify": { role: "operator", once: true },
  "POST /numbers/{number}/switch": { role: "operator" },
  "POST /opt-outs": { role: "operator", all: true, once: true },
  "POST /rollouts/{agent}/advance": { role: "operator" },
  "POST /rollouts/{agent}/force": { role: "operator" },
  "POST /rollouts/{agent}/hold": { role: "operator" },
  "POST /rollouts/{agent}/rollback": { role: "operator" },
  "POST /rollouts/{agent}/start": { role: "operator" },
  "POST /session": { role: "viewer" },
  "POST /tickets": { role: "viewer" },
  "POST /tokens": { role: "admin", all: true },
  "POST /undo": { role: "operator" },
  "PUT /costs/caps/{agent}": { role: "admin" },
  "PUT /emergencies/near-misses/{call}/{rule}/{why}": { role: "operator" },
  "PUT /force": { role: "operator", all: true },
  "PUT /numbers/{number}/assignment": { role: "operator" },
  "PUT /rollouts/{agent}": { role: "operator" },
  "PUT /sites/{agent}/{site}": { role: "operator" },
};
