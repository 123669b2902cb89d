// SPDX-License-Identifier: Apache-2.0
// problem - why there is no answer, as one sentence that says what happened and one that says what to do.

export interface Details {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  fix?: string;
  errors?: { at: string; message: string }[];
  current?: unknown;
}

const stop = (text: string) => (/[.!?…]$/.test(text) ? text : text + ".");
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

export class Problem extends Error {
  readonly status: number; // 0: there was no answer
  readonly kind: string; // the last word of `type`: "no-such-call"
  readonly details: Details;
  readonly retryAfterS: number | null;

  constructor(details: Details, retryAfterS: number | null = null) {
    super(details.title ?? "It did not work");
    this.status = details.status ?? 0;
    this.kind = (details.type ?? "").split("/").pop() ?? "";
    this.details = details;
    this.retryAfterS = retryAfterS;
  }

  /** What happened. */
  get what(): string {
    const { title, detail, errors } = this.details;
    const first = errors?.[0];
    const more = first ? `${first.at ? first.at.replace(/^body\.?/, "") + " " : ""}${first.message}` : detail;
    return stop(capital(title ?? "It did not work")) + (more ? " " + stop(capital(more)) : "");
  }

  /** What to do about it. */
  get remedy(): string {
    return stop(capital(this.details.fix ?? "Try again; if it goes on, ringdown doctor looks for the reason"));
  }

  get sentence(): string {
    return `${this.what} ${this.remedy}`;
  }
}

export const noAnswer = () =>
  new Problem({
    status: 0,
    type: "no-answer",
    title: "The node does not answer",
    fix: "It may be restarting or cut off; this page tries again by itself. Calls do not depend on it",
  });

export const tooSlow = (seconds: number) =>
  new Problem({
    status: 0,
    type: "too-slow",
    title: `There was no answer within ${seconds} s`,
    fix: "Ask for less (a shorter time, one agent), or try again in a minute",
  });

/** A change that got no answer may have been made. */
export const unknownOutcome = (why: Problem) =>
  new Problem({
    ...why.details,
    title: stop(why.details.title ?? "There was no answer") + " The change may have been made or not",
    fix: "Look at how it is now before you do it again",
  });

export async function problemOf(response: Response): Promise<Problem> {
  const after = Number(response.headers.get("retry-after"));
  let details: Details = {};
  try {
    const value: unknown = await response.json();
    if (value && typeof value === "object") details = value as Details;
  } catch {
    // what is no JSON was not ours: a proxy's page
  }
  if (!details.title)
    details = {
      title: response.status === 502 || response.status === 504 ? "The node behind the proxy does not answer" : `The answer was ${response.status}`,
      fix: "Try again; if it goes on, look at the node's log",
    };
  return new Problem({ ...details, status: response.status }, Number.isFinite(after) && after > 0 ? after : null);
}

export function asProblem(why: unknown): Problem {
  if (why instanceof Problem) return why;
  return new Problem({ title: "Something in this page went wrong", detail: String(why), fix: "Load it anew; if it goes on, report it" });
}
