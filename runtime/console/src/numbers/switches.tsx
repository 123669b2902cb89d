// SPDX-License-Identifier: Apache-2.0
// switches - sending numbers to us or to Vapi, giving them back, reading them back, and who answers them. What asks the
// carrier is a job: its dry run is what the preview shows, and whoever began one is told how it ended.
import { sayWho } from "../api/changed";
import { ask, newKey } from "../api/client";
import { ended } from "../api/job";
import { Problem } from "../api/problem";
import type { Job, Number as PhoneNumber } from "../api/types";
import { preview, type Plan } from "../ui/dialog";
import { toast } from "../ui/toast";
import { isWell, named, planOf, sumOf, whereName } from "./plan";

export interface After {
  done: () => void; // look anew
  watch: (job: string) => void; // show how far it is
}

type Began = { data: { job: string; next_call: string } };

const runOf = (job: Job) => (job.result as { run?: number } | null)?.run;

const CHANGED = "What became of each number stands under What was begun; the change itself, and the way back, on the page of all numbers";
const LOOKED = "Each number that is not as it should be says which field differs, and can be made so again";

// Tells how it ended, wherever one is by then.
async function follow(job: string, what: string, after: After, o: { fix: string; undo?: (run: number) => void }): Promise<void> {
  after.watch(job);
  try {
    const over = await ended(job);
    const run = runOf(over);
    if (!isWell(over)) toast.problem(new Problem({ title: `${what}: ${sumOf(over)}`, fix: o.fix }));
    else toast.say(`${what}: ${sumOf(over)}`, o.undo && run ? { name: "Undo", run: () => o.undo!(run) } : undefined);
  } catch (why) {
    toast.problem(why);
  } finally {
    after.done();
  }
}

/** `one`: from how it was seen. Where it goes to already, what differs from what we made is written again. */
export async function switchTo(to: "ringdown" | "vapi", numbers: string[], after: After, one?: { number: PhoneNumber; etag: string }): Promise<void> {
  const again = one?.number.goes_to === to;
  const once = newKey();
  let etag = one?.etag;
  const send = (dry_run: boolean, reason: string, signal?: AbortSignal): Promise<Began> => {
    const body = { to, ...(dry_run ? { dry_run } : {}), ...(reason ? { reason } : {}) };
    return one
      ? ask("POST /numbers/{number}/switch", { path: { number: one.number.number }, body, ifMatch: etag, signal })
      : ask("POST /numbers/switch", { body: { ...body, numbers }, once: dry_run ? newKey() : once, signal });
  };
  let job = "";
  const begun = await preview<Plan>({
    title: again ? `Make ${named(numbers)} again as we made it?` : `Send the calls of ${named(numbers)} to ${whereName[to]}?`,
    verb: again ? `Write ${named(numbers)} again` : `Send ${named(numbers)} to ${whereName[to]}`,
    danger: to === "vapi" && !again,
    reason: "optional",
    load: async (signal) => {
      const { data } = await sayWho(send(true, "", signal), after.done);
      const plan = planOf(await ended(data.job, signal));
      if (one) etag = (await ask("GET /numbers/{number}", { path: { number: one.number.number }, signal })).etag ?? etag; // it has looked at Twilio: that is what is shown
      const calls = plan.numbers.length === 1 ? "its next calls" : "their next calls";
      const next = to === "ringdown" ? `Then ${calls} are answered by us; which system speaks, the agent’s rollout says.` : `Then ${calls} are answered by Vapi, without us: no rollout and no rules of ours apply.`;
      return { ...plan, verb: again ? undefined : `Send ${named(plan.numbers)} to ${whereName[to]}`, summary: plan.nothing ? plan.summary : `${String(plan.summary)} ${next} Calls in progress go on.` };
    },
    commit: async (_plan, reason) => {
      job = (await sayWho(send(false, reason), after.done)).data.job;
    },
  });
  if (begun) void follow(job, again ? `${named(numbers)} written again` : `${named(numbers)} to ${whereName[to]}`, after, { fix: CHANGED, undo: (run) => void giveBack({ run }, named(numbers), after) });
}

export async function giveBack(which: { run: number } | { numbers: string[] }, name: string, after: After, first = false): Promise<void> {
  const once = newKey();
  const body = { ...("run" in which ? { run: String(which.run) } : which), ...(first ? { first } : {}) };
  let job = "";
  const begun = await preview<Plan>({
    title: first ? `Give ${name} back as before we came?` : `Give ${name} back as before the last change?`,
    verb: `Give ${name} back`,
    danger: true,
    reason: "optional",
    load: async (signal) => {
      const { data } = await ask("POST /numbers/restore", { body: { ...body, dry_run: true }, once: newKey(), signal });
      return planOf(await ended(data.job, signal));
    },
    commit: async (_plan, reason) => {
      job = (await ask("POST /numbers/restore", { body: { ...body, ...(reason ? { reason } : {}) }, once })).data.job;
    },
  });
  if (begun) void follow(job, `${name} given back`, after, { fix: CHANGED, undo: (run) => void giveBack({ run }, name, after) });
}

/** These change nothing: they look. */
export async function look(what: "sync" | "drift" | "verify", numbers: string[], after: After): Promise<void> {
  const { data } =
    what === "verify" ? await ask("POST /numbers/verify", { body: { numbers }, once: newKey() }) : await ask(`POST /numbers/${what}`, { once: newKey() });
  await follow(data.job, { sync: "Looked at Twilio", drift: "Compared", verify: `Read ${named(numbers)} back` }[what], after, { fix: LOOKED });
}

export async function resume(run: string, after: After): Promise<void> {
  const { data } = await ask("POST /numbers/runs/{id}/resume", { path: { id: run }, once: newKey() });
  await follow(data.job, `Change ${run} went on`, after, { fix: CHANGED });
}

// ---- who answers it ----

const whose = (agent: string | null | undefined, site: string | null | undefined, assigned: boolean | undefined) =>
  agent ? `${agent}${site && site !== "default" ? `, site ${site}` : ""}${assigned ? "" : " (its file says so)"}` : "nobody";

/** `to` null: the agents' files say again. */
export async function assign(seen: { number: PhoneNumber; etag: string }, to: { agent: string; site?: string } | null, done: () => void): Promise<void> {
  const { number } = seen.number;
  const path = { number };
  const before = seen.number.assigned && seen.number.agent ? { agent: seen.number.agent, ...(seen.number.site && seen.number.site !== "default" ? { site: seen.number.site } : {}) } : null;
  let etag: string | null = null;
  const send = (dry_run: boolean, signal?: AbortSignal) => {
    const query = dry_run ? { dry_run } : {};
    return to
      ? ask("PUT /numbers/{number}/assignment", { path, query, body: to, ifMatch: seen.etag, signal })
      : ask("DELETE /numbers/{number}/assignment", { path, query, ifMatch: seen.etag, signal });
  };
  const written = await preview({
    title: to ? `Have ${to.agent} answer ${number}?` : `Leave ${number} to the agents’ files again?`,
    verb: to ? `Assign it to ${to.agent}` : "End the assignment",
    load: async (signal) => {
      const { data } = await sayWho(send(true, signal), done);
      const after = to ? whose(to.agent, to.site, true) : "whom the agents’ files say";
      return {
        summary: data.next_call,
        nothing: !data.changed,
        changes: data.changed ? [{ what: `Who answers ${number}`, before: whose(data.was?.agent, data.was?.site, data.was?.assigned), after }] : [],
      };
    },
    commit: async () => {
      etag = (await sayWho(send(false), done)).etag;
    },
  });
  if (!written) return;
  const next = etag as string | null;
  const undo = next ? { name: "Undo", run: () => void assign({ number: { ...seen.number, agent: to?.agent ?? null, site: to?.site ?? null, assigned: to !== null }, etag: next }, before, done) } : undefined;
  toast.say(to ? `${number} is answered by ${to.agent}; nodes follow within a few seconds.` : `The agents’ files say again who answers ${number}.`, undo);
  done();
}

