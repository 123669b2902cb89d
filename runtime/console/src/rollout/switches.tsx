// SPDX-License-Identifier: Apache-2.0
// switches - start, hold, advance, roll back, force, another stage, and taking the last one back. Each shows what will
// be written, writes from the version that was looked at, and says who was faster.
import { sayWho } from "../api/changed";
import { ask } from "../api/client";
import { asProblem } from "../api/problem";
import type { RolloutWithGuards, RolloutChanged } from "../api/types";
import { preview, type Plan } from "../ui/dialog";
import { toast } from "../ui/toast";
import { Moves } from "./parts";
import { planOf, share, withStage, type System, type Verb, type Would } from "./plan";

export interface Seen {
  of: RolloutWithGuards;
  etag: string;
  reload: () => void;
}

interface Body {
  dry_run?: boolean;
  force?: boolean;
  reason?: string;
  to?: string;
}

type Asked = (body: Body, signal?: AbortSignal) => Promise<Would>;
type Forced = Plan & { force?: boolean };

// When the guards, or a day's rest, say no, a person may say yes: with a reason, and in red.
async function rehearse(asked: Asked, body: Body, mayForce: boolean, needsReason: boolean, signal: AbortSignal): Promise<Forced> {
  const reason = needsReason ? "looked at before" : undefined;
  try {
    const answer = await asked({ ...body, reason, dry_run: true }, signal);
    return { ...planOf(answer), more: answer.moves ? <Moves of={answer.moves} /> : null, ...(needsReason ? { reason: "needed" as const } : {}) };
  } catch (why) {
    const problem = asProblem(why);
    if (!mayForce || problem.status !== 409) throw why;
    const answer = await asked({ ...body, reason: "looked at before", force: true, dry_run: true }, signal).catch(() => {
      throw why;
    });
    return {
      ...planOf(answer),
      warnings: [problem.what + " You can go on all the same, and say why.", ...(answer.notes ?? [])],
      more: answer.moves ? <Moves of={answer.moves} /> : null,
      force: true,
      danger: true,
      reason: "needed",
      verb: "Go on all the same",
    };
  }
}

/** Of what went back, or would be no plan at all any more, a person takes the change back with a reason, and knowing it. */
export async function undo(agent: string, reload: () => void): Promise<void> {
  let version = 0;
  const asked: Asked = async (body, signal) => (await ask("POST /undo", { body: { kind: "rollout", agent, version, ...body }, signal })).data;
  const done = await preview<Forced>({
    title: `Take the last change of ${agent} back?`,
    verb: "Take it back",
    load: async (signal) => {
      const { data } = await ask("GET /undo", { query: { agent }, signal });
      version = data.version;
      const plan = await rehearse(asked, {}, true, true, signal);
      return { ...plan, summary: data.said?.[0] ?? "", more: [<p>{plan.summary}</p>, plan.more] };
    },
    commit: (plan, reason) => sayWho(asked({ reason, ...(plan.force ? { force: true } : {}) })),
  });
  if (!done) return;
  toast.say(`The last change of ${agent} is taken back.`);
  reload();
}

async function change(seen: Seen, o: { title: string; verb: string; danger?: boolean; asked: Asked; body?: Body; mayForce?: boolean; needsReason?: boolean; said: (agent: string) => string }): Promise<void> {
  const { agent } = seen.of;
  const done = await preview<Forced>({
    title: o.title,
    verb: o.verb,
    danger: o.danger,
    reason: "optional",
    load: (signal) => sayWho(rehearse(o.asked, o.body ?? {}, o.mayForce ?? false, o.needsReason ?? false, signal), seen.reload),
    commit: (plan, reason) => sayWho(o.asked({ ...o.body, ...(reason ? { reason } : {}), ...(plan.force ? { force: true } : {}) }), seen.reload),
  });
  if (!done) return;
  toast.say(o.said(agent), { name: "Undo", run: () => void undo(agent, seen.reload) });
  seen.reload();
}

const asking =
  (verb: Verb, seen: Seen): Asked =>
  async (body, signal) =>
    (await ask(`POST /rollouts/{agent}/${verb}`, { path: { agent: seen.of.agent }, body, ifMatch: seen.etag, signal })).data;

export const start = (seen: Seen) => {
  const { agent, state, held_for } = seen.of;
  const again = state !== "draft";
  return change(seen, {
    title: again ? `Go on with the rollout of ${agent}?` : `Begin the rollout of ${agent}?`,
    verb: again ? "Go on" : "Begin",
    asked: asking("start", seen),
    mayForce: true,
    needsReason: state === "rolled_back" || (state === "paused" && held_for !== null && held_for !== "person"),
    said: (a) => (again ? `The rollout of ${a} goes on.` : `The rollout of ${a} has begun.`),
  });
};

export const hold = (seen: Seen) =>
  change(seen, { title: `Hold the rollout of ${seen.of.agent}?`, verb: "Hold", asked: asking("hold", seen), said: (a) => `The rollout of ${a} is held where it is.` });

export const advance = (seen: Seen) => {
  const next = seen.of.track.find((s) => s.is === "next");
  return change(seen, {
    title: next ? `Advance ${seen.of.agent} to ${share(next.percent_bp)}?` : `End the rollout of ${seen.of.agent}?`,
    verb: next ? `Advance to ${share(next.percent_bp)}` : "End it",
    asked: asking("advance", seen),
    mayForce: true,
    said: (a) => (next ? `${a} is at ${share(next.percent_bp)}.` : `The rollout of ${a} is done.`),
  });
};

export const rollBack = (seen: Seen, bp?: number) =>
  change(seen, {
    title: bp ? `Roll ${seen.of.agent} back to ${share(bp)}?` : `Roll ${seen.of.agent} back: all its callers to Vapi?`,
    verb: bp ? `Roll back to ${share(bp)}` : "Roll back to Vapi",
    danger: true,
    asked: asking("rollback", seen),
    body: bp ? { to: String(bp / 100) } : {},
    said: (a) => (bp ? `${a} is back at ${share(bp)}.` : `All callers of ${a} meet Vapi.`),
  });

/** A stage of this share before the next one: only the plan is written, nobody moves. */
export const insertStage = (seen: Seen, bp: number) => {
  const next = seen.of.track.find((s) => s.is === "next" && s.percent_bp > bp)!;
  const stages = withStage(seen.of.track, bp, next);
  const names = (list: { percent_bp: number }[]) => list.map((s) => share(s.percent_bp)).join(", ");
  const asked: Asked = async (body, signal) => {
    const { to: _to, ...rest } = body;
    return (await ask("PUT /rollouts/{agent}", { path: { agent: seen.of.agent }, body: { ...rest, stages }, ifMatch: seen.etag, signal })).data;
  };
  return preview({
    title: `Make ${share(bp)} the next stage of ${seen.of.agent}?`,
    verb: `Add the stage ${share(bp)}`,
    reason: "optional",
    load: async (signal) => {
      const answer = await sayWho(asked({ dry_run: true }, signal), seen.reload);
      return {
        summary: "Only the plan is written: nobody changes sides until you advance.",
        changes: [{ what: "Stages", before: names(seen.of.track), after: names(stages), note: `the new one asks for as much as ${share(next.percent_bp)} does` }],
        warnings: answer.notes ?? [],
      };
    },
    commit: (_plan, reason) => sayWho(asked(reason ? { reason } : {}), seen.reload),
  }).then((done) => {
    if (!done) return;
    toast.say(`The next stage of ${seen.of.agent} is ${share(bp)}.`, { name: "Undo", run: () => void undo(seen.of.agent, seen.reload) });
    seen.reload();
  });
};

// ---- force ----

const systemName = { openai: "OpenAI", vapi: "Vapi", off: "where the rollout says" };

export const forcedTo = (r: { kill?: boolean; mode?: string }): System => (r.kill ? "vapi" : r.mode === "openai" || r.mode === "vapi" ? r.mode : "off");

// To Vapi, where nobody may watch for emergencies: the node says so, and a person that they know it.
async function rehearseForce(send: (o: { reason?: string; yes?: boolean; dry_run?: boolean }, signal?: AbortSignal) => Promise<RolloutChanged>, signal: AbortSignal): Promise<{ would: RolloutChanged; unwatched: string | null }> {
  try {
    return { would: await send({ dry_run: true }, signal), unwatched: null };
  } catch (why) {
    const problem = asProblem(why);
    if (problem.kind !== "unwatched") throw why;
    return { would: await send({ dry_run: true, yes: true }, signal), unwatched: problem.what };
  }
}

export function force(seen: Seen, system: System): Promise<void> {
  const { agent } = seen.of;
  const send = async (o: { reason?: string; yes?: boolean; dry_run?: boolean }, signal?: AbortSignal) =>
    (await ask("POST /rollouts/{agent}/force", { path: { agent }, body: { system, ...o }, ifMatch: seen.etag, signal })).data;
  return preview<Forced>({
    title: system === "off" ? `No longer force the calls of ${agent}?` : `Force all calls of ${agent} to ${systemName[system]}?`,
    verb: system === "off" ? "End the force" : `Force to ${systemName[system]}`,
    danger: system !== "off",
    type: system === "off" ? undefined : agent,
    reason: system === "off" ? "optional" : "needed",
    load: async (signal) => {
      const { would, unwatched } = await sayWho(rehearseForce(send, signal), seen.reload);
      const was = would.was?.forced ?? "off";
      return {
        summary: system === "off" ? `New calls of ${agent} go where its rollout says: ${share(would.percent_bp)} of callers to OpenAI.` : `Every new call of ${agent} goes to ${systemName[system]}, whoever calls, until somebody ends it. Calls in progress go on.`,
        changes: [
          { what: "Forced to", before: was === "off" ? "nothing" : systemName[was], after: system === "off" ? "nothing" : systemName[system] },
          { what: "Next call", before: would.was?.next_call ?? "", after: would.next_call },
        ],
        warnings: [...(unwatched ? [unwatched] : []), ...(would.notes ?? [])],
        ...(unwatched ? { accept: "I know that nobody here watches for emergencies of these callers then", force: true } : {}),
      };
    },
    commit: (plan, reason) => sayWho(send({ ...(reason ? { reason } : {}), ...(plan.force ? { yes: true } : {}) }), seen.reload),
  }).then((done) => {
    if (!done) return;
    toast.say(system === "off" ? `${agent} is not forced any more.` : `All new calls of ${agent} go to ${systemName[system]}.`, { name: "Undo", run: () => void undo(agent, seen.reload) });
    seen.reload();
  });
}

