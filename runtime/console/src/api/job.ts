// SPDX-License-Identifier: Apache-2.0
// job - what a request began and goes on after it: asked for until it is over.
import { ask } from "./client";
import { Problem } from "./problem";
import type { Job } from "./types";

export const isOver = (job: Job): boolean => job.state !== "waiting" && job.state !== "running";

export interface Line {
  text?: string;
  note?: string;
  number?: string;
  refused?: string;
  counts?: Record<string, number>; // how many numbers are in which step, at the end
  changes?: Difference[];
  change?: Difference; // one of several lines of a number
}

export interface Difference {
  name: string;
  found: string;
  wanted: string;
}

export const linesOf = (job: Job): Line[] => (job.lines ?? []) as Line[];

/** The job once it is over; one that failed is a Problem. */
export async function ended(job: string, signal?: AbortSignal, told?: (job: Job) => void): Promise<Job> {
  for (;;) {
    const { data } = await ask("GET /jobs/{id}", { path: { id: job }, query: { wait_s: 5 }, signal });
    told?.(data);
    if (data.state === "done") return data;
    if (isOver(data))
      throw new Problem({
        title: data.state === "lost" ? `Job ${job} was lost with its node` : "It did not work",
        detail: data.why ?? undefined,
        fix: data.state === "lost" ? "Look at the numbers and at the changes of numbers; one that was cut off can be gone on with" : "Look at how it is now, and try again",
      });
  }
}
