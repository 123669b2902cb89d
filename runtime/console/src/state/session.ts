// SPDX-License-Identifier: Apache-2.0
// session - who is here and what they may do.
//
//   #login=rt_… (a link of `ringdown console link`) ─┐
//   rd_… (typed into the form) ──────────────────────┴─ POST /session ─▶ a token of its own, ≤ 12 h, in sessionStorage
//
// The fragment is taken out of the address before anything is asked. What was typed is not kept: what is kept is
// the session's token, which logging out revokes. `may("POST /nodes/{node}/drain")` says whether to show a switch;
// the node refuses it all the same.
import { access, ask } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import { needs, type Operation } from "../api/types";
import { presentMs } from "./present";
import { createStore, useStore } from "./store";

export type Role = "viewer" | "operator" | "admin";

export interface Me {
  who: string;
  role: Role;
  agents: string[] | null; // null: all
  masked: boolean; // numbers, names and words are hidden
  expires_unix: number | null;
  demo: boolean; // calls here never were
}

export type Session =
  | { state: "checking" }
  | { state: "out"; why: string | null; remedy: string | null }
  | { state: "in"; me: Me };

const KEY = "ringdown.session";
const ranks: Record<Role, number> = { viewer: 1, operator: 2, admin: 3 };

export const session = createStore<Session>({ state: "checking" });

let ending: ReturnType<typeof setTimeout> | undefined;

function keep(token: string | null): void {
  access.token = token;
  if (token) sessionStorage.setItem(KEY, token);
  else sessionStorage.removeItem(KEY);
}

function out(why: string | null = null, remedy: string | null = null): void {
  clearTimeout(ending);
  keep(null);
  session.set({ state: "out", why, remedy });
}

function tellWhy(problem: Problem, link: boolean): [string, string] {
  if (problem.status === 401 && link)
    return ["This log-in link was used already, or is too old.", "Make a new one with: ringdown console link"];
  if (problem.status === 401)
    return ["This token is unknown, expired or revoked.", "Make a log-in link with: ringdown console link"];
  return [problem.what, problem.remedy];
}

async function exchange(secret: string, link: boolean): Promise<void> {
  session.set({ state: "checking" });
  const before = access.token;
  try {
    const { data } = await ask("POST /session", { token: secret });
    keep(data.token);
    if (before) void ask("DELETE /session", { token: before }).catch(() => {}); // nobody has that one any more
  } catch (why) {
    return out(...tellWhy(asProblem(why), link));
  }
  await resume();
}

function enter(me: Me): void {
  session.set({ state: "in", me });
  clearTimeout(ending);
  const leftMs = me.expires_unix ? me.expires_unix * 1000 - presentMs() : Infinity;
  if (leftMs < 2 ** 31) ending = setTimeout(() => out("The session is over.", "Make a new log-in link with: ringdown console link"), leftMs);
}

/** The ticket of an address like /#login=rt_…, and the address without it. */
export function ticketOf(hash: string): string | null {
  return /^#login=(rt_[0-9a-f]{64})$/.exec(hash)?.[1] ?? null;
}

/** The log-in link that the address is, if it is one: taken out of it, and used. */
async function byLink(): Promise<boolean> {
  if (!location.hash.startsWith("#login=")) return false;
  const ticket = ticketOf(location.hash);
  history.replaceState(null, "", location.href.replace(/#.*$/s, ""));
  if (ticket) await exchange(ticket, true);
  else out("This is no whole log-in link.", "Copy all of it, or make a new one with: ringdown console link");
  return true;
}

export async function begin(): Promise<void> {
  access.onUnauthorized = () => {
    if (session.get().state === "in") out("The session has expired or was ended.", "Make a new log-in link with: ringdown console link");
  };
  addEventListener("hashchange", () => void byLink()); // opened where the console was open already: no page is loaded then
  if (await byLink()) return;
  const kept = sessionStorage.getItem(KEY);
  if (!kept) return out();
  access.token = kept;
  return resume();
}

export async function resume(): Promise<void> {
  session.set({ state: "checking" });
  try {
    const { data } = await ask("GET /me");
    enter({ who: data.who, role: data.role, agents: data.agents ?? null, masked: data.masked, expires_unix: data.expires_unix ?? null, demo: data.demo });
  } catch (why) {
    const problem = asProblem(why);
    if (problem.status === 401) out("The session has expired or was ended.", "Make a new log-in link with: ringdown console link");
    else session.set({ state: "out", why: problem.what, remedy: "The session is kept: load the page anew in a moment." });
  }
}

/** A token, as the form took it. Whatever was copied along with it is left out. */
export async function logIn(text: string): Promise<void> {
  const secret = /r[dt]_[0-9a-f]{64}/.exec(text)?.[0];
  if (!secret) return out("This is no token.", "A token is rd_ and 64 letters and digits; ringdown tokens create makes one.");
  return exchange(secret, secret.startsWith("rt_"));
}

export async function logOut(): Promise<void> {
  try {
    await ask("DELETE /session");
    out("You are logged out.", null);
  } catch (why) {
    const problem = asProblem(why);
    if (problem.status === 401) out("You are logged out.", null);
    else out("You are logged out here, but the node did not answer.", "The session ends by itself; ringdown tokens revoke ends it now.");
  }
}

export function mayBe(me: Me, operation: Operation): boolean {
  const need = needs[operation];
  return ranks[me.role] >= ranks[need.role as Role] && !(need.all && me.agents);
}

export const hasRole = (me: Me, role: Role): boolean => ranks[me.role] >= ranks[role];

export function useMe(): Me {
  const now = useStore(session);
  if (now.state !== "in") throw new Error("nobody is logged in");
  return now.me;
}

/** may("POST /calls/{call}/hang-up"): whether this session may do it. */
export function useMay(): (operation: Operation) => boolean {
  const now = useStore(session);
  return (operation) => now.state === "in" && mayBe(now.me, operation);
}
