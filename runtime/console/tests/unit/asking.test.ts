// SPDX-License-Identifier: Apache-2.0
// When a question is asked anew, and whose answer counts.
import { describe, expect, it } from "vitest";
import { asking } from "../../src/api/asking";

const settle = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

function questions() {
  const open: { answer: (data: string) => void; fail: (why: Error) => void; signal: AbortSignal }[] = [];
  const heard: string[] = [];
  const one = asking<string>(
    (signal) => new Promise((answer, fail) => open.push({ answer: (data) => answer({ data, etag: null }), fail, signal })),
    { begun: () => {}, answered: ({ data }) => heard.push(data), failed: (why) => heard.push(String(why)) },
  );
  return { open, heard, one };
}

describe("a question that is asked anew", () => {
  it("is answered, however fast facts come", async () => {
    const { open, heard, one } = questions();
    one.now();
    for (let fact = 0; fact < 20; fact++) one.again();
    expect(open.length).toBe(1);
    open[0]!.answer("of before");
    await settle();
    expect(heard).toEqual(["of before"]);
    expect(open.length).toBe(2); // once for all of them
    open[1]!.answer("of after");
    await settle();
    expect(heard).toEqual(["of before", "of after"]);
    expect(open.length).toBe(2);
  });

  it("does not show what is older than a change, even when that comes later", async () => {
    const { open, heard, one } = questions();
    one.now();
    one.now();
    expect(open[0]!.signal.aborted).toBe(true);
    open[1]!.answer("after the change");
    await settle();
    open[0]!.answer("before the change");
    await settle();
    expect(heard).toEqual(["after the change"]);
  });

  it("is not asked by the clock while it is asked already", async () => {
    const { open, one } = questions();
    one.now();
    one.tick();
    open[0]!.answer("yes");
    await settle();
    expect(open.length).toBe(1);
    one.tick();
    expect(open.length).toBe(2);
  });

  it("is asked again after it failed, when something happened meanwhile", async () => {
    const { open, heard, one } = questions();
    one.now();
    one.again();
    open[0]!.fail(new Error("busy"));
    await settle();
    expect(heard).toEqual(["Error: busy"]);
    expect(open.length).toBe(2);
  });

  it("is silent once nobody wants it any more", async () => {
    const { open, heard, one } = questions();
    one.now();
    one.again();
    one.stop();
    open[0]!.answer("late");
    await settle();
    one.now();
    expect([heard, open.length]).toEqual([[], 1]);
  });
});
